"""Activities go in, outcomes come out, and what was accepted is in the database before it is answered."""

import asyncio

import msgspec
import pytest

from laurels.core.calendar import format_instant
from laurels.core.facts import Accrued, encode_facts
from laurels.core.journal import entries
from laurels.intake.submission import Overloaded, Submission, UnknownProgram
from laurels.store.bucket import bucket_of
from laurels.store.digest import activity_digest
from laurels.store.reading import activity, journal, member_accounts, system_accounts
from tests.stage import asynchronous, instant, purchase, stage, submission


@asynchronous
async def test_an_accepted_purchase_is_recorded_with_its_facts_and_entries(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        outcome = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        assert outcome.status == "accepted"
        assert (outcome.seq, outcome.version, outcome.recorded_at) == (2, 1, instant("2026-03-01"))
        assert [type(fact) for fact in outcome.facts if isinstance(fact, Accrued)] == [Accrued]
        assert outcome.member_after is not None
        assert outcome.member_after.root.wallets["points"].available == 39

        stored = await activity(here.database, "cafe", "pos", "r-1")
        assert stored is not None
        assert (stored.member, stored.seq, stored.type, stored.engine, stored.version, stored.known) == (
            *("m-1", 2, "purchase", 1, 1, 1),
        )
        assert msgspec.json.decode(stored.body) == purchase("o-1", "39.80")
        assert stored.facts == outcome.facts
        (entry,) = await journal(here.database, "cafe", "m-1")
        assert (entry.points, entry.out_of, entry.into, entry.campaign, entry.activity) == (
            *(39, "issuance", "available", "base", "r-1"),
        )


@asynchronous
async def test_the_row_of_an_activity_carries_its_digest_and_its_bucket(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        outcome = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        row = await here.database.pool.fetchrow("select * from activity where id = 'r-1'")
        assert row is not None
        assert row["bucket"] == bucket_of("m-1")
        assert row["digest"] == activity_digest(
            program="cafe",
            member="m-1",
            seq=2,
            source="pos",
            id="r-1",
            type="purchase",
            occurred_at=instant("2026-03-01"),
            recorded_at=instant("2026-03-01"),
            engine=1,
            version=1,
            known=1,
            circumstances=None,
            body=row["body"].encode(),
            facts=encode_facts(outcome.facts),
        )


@asynchronous
async def test_many_activities_of_one_member_are_numbered_without_gaps_in_their_order(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        bought = [submission("purchase", "m-1", purchase(f"o-{n}", "10.00")) for n in range(50)]
        outcomes = await here.send_all(bought)
        assert [outcome.seq for outcome in outcomes] == list(range(2, 52))
        assert [outcome.id for outcome in outcomes] == [sent.id for sent in bought]
        assert (await here.balance("m-1")).available == 500


@pytest.mark.parametrize("count", [7, 300])
@asynchronous
async def test_small_and_large_batches_write_the_same(laurels_url: str, count: int) -> None:
    """From a hundred activities on, ledger rows go by COPY: the same rows must come to lie there."""
    async with stage(laurels_url) as here:
        members = [f"m-{n}" for n in range(count)]
        await here.enrol(*members)
        outcomes = await here.send_all([submission("purchase", member, purchase("o", "12.50")) for member in members])
        assert {outcome.status for outcome in outcomes} == {"accepted"}
        assert await here.rows() == {
            "activity": 2 * count,
            "entry": count,
            "member": count,
            "state": 2 * count,  # a page of lots and an order each
            "pool": 0,
            "outbox": 0,
            "free_text": 0,
        }
        rows = await here.database.pool.fetch("select * from entry order by member")
        assert {(row["points"], row["order_id"], row["version"], row["n"]) for row in rows} == {(12, "o", 1, 0)}
        for row, outcome in zip(rows, sorted(outcomes, key=lambda outcome: outcome.member), strict=True):
            (entry,) = entries(outcome.facts)
            assert (row["lot"], row["expires_at"], row["seq"]) == (entry.lot, entry.expires_at, outcome.seq)


@asynchronous
async def test_the_journal_sums_to_zero_and_agrees_with_balances(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        await here.send("purchase", "m-1", purchase("o-1", "100.00"))
        await here.send("purchase", "m-2", purchase("o-2", "50.00"))
        await here.send("redemption", "m-1", {"redemption": "x", "wallet": "points", "points": 30, "hold": False})
        totals = await member_accounts(here.database, "cafe")
        assert {(total.account, total.points) for total in totals} == {("available", 120), ("held", 0)}
        system = await system_accounts(here.database, "cafe")
        assert {(total.account, total.points) for total in system} == {("issuance", -150), ("redemption", 30)}
        assert await here.database.pool.fetchval("select sum(points) from posting") == 0


@asynchronous
async def test_what_cannot_be_understood_is_invalid_and_writes_nothing(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        before = await here.rows()
        good = purchase("o-1", "1.00")
        bad: list[tuple[Submission, str, str]] = [
            (submission("purchase", "m-1", b"{", id="a"), "/data", "malformed"),
            (submission("purchase", "m-1", b'{"order": "\xff"}', id="b"), "/data", "malformed"),
            (submission("purchase", "m-1", b'{"order": "a\\u0000b"}', id="c"), "/data/order", "nul_character"),
            (submission("purchase", "m-1", b'{"fields": {"a": ' + b"[" * 100_000, id="d"), "/data", "too_deep"),
            (submission("purchase", "m-1", {**good, "ordre": 1}, id="e"), "/data/ordre", "unknown_field"),
            (submission("purchase", "m-1", purchase("o", "1.001"), id="f"), "/data/lines/0/amount", "invalid_amount"),
            (submission("purchase", "m-1", good, id=""), "/id", "missing"),
            (submission("purchase", "m-1", good, id="x" * 201), "/id", "too_long"),
            (submission("purchase", "m\0", good, id="g"), "/member", "nul_character"),
            (submission("purchase", "m\ud800", good, id="h"), "/member", "malformed"),
            (submission("holiday", "m-1", good, id="i"), "/type", "unknown_type"),
            (submission("clock", "m-1", {}, id="j"), "/type", "unknown_type"),
            (submission("purchase", "m-1", good, id="k", source="laurels"), "/source", "reserved_source"),
            (Submission("pos", "l", "purchase", "m-1", -1, b"{}"), "/occurred_at", "invalid_instant"),
        ]
        outcomes = await here.send_all([sent for sent, _, _ in bad])
        said = [(outcome.status, *[(each.pointer, each.code) for each in outcome.problems[:1]]) for outcome in outcomes]
        assert said == [("invalid", (pointer, code)) for _, pointer, code in bad]
        assert await here.rows() == before


@asynchronous
async def test_a_text_that_only_speaks_of_nul_is_accepted(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        data = {**purchase("o-1", "1.00"), "store": "C:\\u0000"}
        assert (await here.send("purchase", "m-1", data)).status == "accepted"


@asynchronous
async def test_a_refusal_says_its_code_and_writes_nothing(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        before = await here.rows()
        outcomes = await here.send_all(
            [
                submission("purchase", "nobody", purchase("o-1", "1.00")),
                submission("return", "m-1", {"order": "o-9"}),
                submission("redemption", "m-1", {"redemption": "x", "wallet": "points", "points": 1}),
                submission("enrol", "m-1", at="2026-02-02"),
            ]
        )
        assert [(outcome.status, outcome.refusal and outcome.refusal.code) for outcome in outcomes] == [
            ("refused", "unknown_member"),
            ("refused", "unknown_order"),
            ("refused", "insufficient_points"),
            ("refused", "already_enrolled"),
        ]
        assert await here.rows() == before
        # Nor beside what is accepted, when there is something to write.
        outcomes = await here.send_all([submission("purchase", who, purchase("o-1", "1.00")) for who in ("x", "m-1")])
        assert [outcome.status for outcome in outcomes] == ["refused", "accepted"]
        assert await here.count("member") == before["member"]


@asynchronous
async def test_without_a_version_in_effect_everything_is_refused(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.database.pool.execute(
            "insert into program (id, mode, secret, created_at) values ('bare', 'sandbox', '', 0)"
        )
        (outcome,) = await here.intake.submit("bare", [submission("enrol", "m-1")])
        assert outcome.refusal is not None
        assert outcome.refusal.code == "unknown_program_version"
        assert await here.count("activity") == 0


@asynchronous
async def test_an_unknown_program_is_an_error_and_not_an_outcome(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        with pytest.raises(UnknownProgram):
            await here.intake.submit("elsewhere", [submission("enrol", "m-1")])


@asynchronous
async def test_free_text_is_kept_apart_from_the_ledger_and_a_replay_still_compares_it(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        data = {"wallet": "points", "points": 5, "reason": "She called Anna at home."}
        assert (await here.send("adjustment", "m-1", data, id="a-1")).status == "accepted"
        stored = await activity(here.database, "cafe", "pos", "a-1")
        assert stored is not None
        assert "Anna" not in stored.body
        assert "Anna" not in encode_facts(stored.facts).decode()
        assert stored.texts is not None
        assert msgspec.json.decode(stored.texts) == {"reason": "She called Anna at home."}
        assert (await here.send("adjustment", "m-1", data, id="a-1")).status == "replayed"
        other = await here.send("adjustment", "m-1", {**data, "reason": "Another."}, id="a-1")
        assert other.refusal is not None
        assert other.refusal.code == "activity_conflict"


@asynchronous
async def test_a_quote_says_what_would_come_of_it_and_writes_nothing(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        before = await here.rows()
        sent = submission("purchase", "m-1", purchase("o-1", "39.80"))
        quoted = await here.intake.quote("cafe", sent)
        assert quoted.status == "accepted"
        assert await here.rows() == before
        assert (await here.send_all([sent]))[0].facts == quoted.facts
        unknown = await here.intake.quote("cafe", submission("purchase", "nobody", purchase("o-1", "1.00")))
        assert unknown.refusal is not None
        assert unknown.refusal.code == "unknown_member"


@asynchronous
async def test_a_live_program_records_by_the_real_clock_and_refuses_what_lies_ahead(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", now="2026-06-01 12:00") as here:
        await here.enrol("m-1", at="2026-06-01")
        late = await here.send("purchase", "m-1", purchase("o-1", "1.00"), at="2026-05-01")
        assert late.recorded_at == instant("2026-06-01 12:00")
        just = await here.send("purchase", "m-1", purchase("o-2", "1.00"), at="2026-06-01 12:05")
        assert (just.status, just.recorded_at) == ("accepted", instant("2026-06-01 12:00"))
        ahead = await here.send("purchase", "m-1", purchase("o-3", "1.00"), at="2026-06-01 12:06")
        assert ahead.refusal is not None
        assert ahead.refusal.code == "occurred_in_future"


@asynchronous
async def test_what_is_recorded_for_a_member_never_goes_back_in_time(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", now="2026-06-01 12:00") as here:
        await here.enrol("m-1", at="2026-06-01")
        here.clock.at = instant("2026-06-01 11:00")
        outcome = await here.send("purchase", "m-1", purchase("o-1", "1.00"), at="2026-06-01 10:00")
        assert outcome.recorded_at is not None
        assert format_instant(outcome.recorded_at) == "2026-06-01T12:00:00Z"


@asynchronous
async def test_a_sandbox_clock_moves_with_what_is_accepted_and_with_nothing_else(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        assert await here.intake.now("cafe") is None
        await here.enrol("m-1", at="2026-01-01")
        assert await here.intake.now("cafe") == instant("2026-01-01")
        await here.send("purchase", "nobody", purchase("o-1", "1.00"), at="2027-01-01")
        await here.send("purchase", "m-1", b"{}", at="2027-01-01")
        assert await here.intake.now("cafe") == instant("2026-01-01")
        outcomes = await here.send_all(
            [
                submission("purchase", "m-1", purchase("o-1", "1.00"), at="2026-03-01"),
                submission("purchase", "nobody", purchase("o-1", "1.00"), at="2027-01-01"),
                submission("purchase", "m-1", purchase("o-2", "1.00"), at="2026-02-01"),
            ]
        )
        assert [outcome.recorded_at for outcome in outcomes] == [instant("2026-03-01"), None, instant("2026-03-01")]
        assert await here.intake.now("cafe") == instant("2026-03-01")


@asynchronous
async def test_a_new_version_is_seen_by_the_next_batch(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.publish(DOUBLE.format(points=2), instant("2026-02-01"))
        outcome = await here.send("purchase", "m-1", purchase("o-1", "10.00"), at="2026-03-01")
        assert (outcome.version, (await here.balance("m-1")).available) == (2, 20)
        old = await here.send("purchase", "m-1", purchase("o-2", "10.00"), at="2026-01-31")
        assert (old.version, (await here.balance("m-1")).available) == (1, 30)
        row = await here.database.pool.fetchrow("select version, known from activity where id = $1", old.id)
        assert row is not None
        assert tuple(row) == (1, 2)


DOUBLE = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {{expires: {{after: 12M}}}}
campaigns:
  base: {{on: purchase, grant: {{wallet: points, points: {points}, per: "1.00"}}}}
"""


@asynchronous
async def test_when_too_much_waits_a_request_is_turned_away_whole(laurels_url: str) -> None:
    async with stage(laurels_url, waiting_most=10) as here:
        await here.enrol("m-1")
        first = asyncio.create_task(
            here.send_all([submission("purchase", "m-1", purchase(f"a-{n}", "1.00")) for n in range(20)])
        )
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as turned_away:
            await here.send("purchase", "m-1", purchase("b", "1.00"))
        assert turned_away.value.retry_after_s >= 1
        assert {outcome.status for outcome in await first} == {"accepted"}
        assert (await here.send("purchase", "m-1", purchase("b", "1.00"))).status == "accepted"


@asynchronous
async def test_after_stopping_nothing_is_taken_in_and_everything_taken_in_is_answered(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        task = asyncio.create_task(here.send("purchase", "m-1", purchase("o-1", "1.00")))
        await asyncio.sleep(0)
        await here.intake.stop()
        assert (await task).status == "accepted"
        with pytest.raises(Overloaded):
            await here.send("purchase", "m-1", purchase("o-2", "1.00"))


@asynchronous
async def test_documents_that_a_decision_empties_are_removed(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 100)
        lots = "select count(*) from state where key like 'lots/%'"
        assert await here.database.pool.fetchval(lots) == 1
        spend = {"redemption": "x", "wallet": "points", "points": 100, "hold": False}
        assert (await here.send("redemption", "m-1", spend)).status == "accepted"
        assert await here.database.pool.fetchval(lots) == 0
        await here.give("m-1", 50, at="2026-04-01")
        assert (await here.balance("m-1")).available == 50
        assert await here.database.pool.fetchval(lots) == 1
