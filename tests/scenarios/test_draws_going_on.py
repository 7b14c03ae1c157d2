"""Draws that go on whatever happens beside them: versions published, winners erased, many draws, a busy worker."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from laurels.api.publishing import publish
from laurels.core.refusal import Refusal
from laurels.intake import drawing
from laurels.intake.submission import Unavailable
from laurels.store import draw_records
from laurels.store import draws as stored
from tests.scenarios.story import Story, Tell
from tests.scenarios.test_draws import (
    assert_drawn_once,
    bought,
    document,
    entered,
    faults,
    go_on,
    part,
    record,
    spring,
    wheel,
    winners,
)

REASON = "\n  changes: [{at: 2026-03-05, reason: {en: longer, zh-CN: 延期}}]"


def erase(here: Story, member: str) -> None:
    assert here.call("DELETE", f"/v1/members/{member}")[0] in (200, 204)
    here.members.remove(member)


def owners(here: Story) -> dict[str, str]:
    return {part(here, member)["number"]: member for member in here.members if part(here, member)}


# --- beside batches and versions --------------------------------------------------------------------------------------


def test_a_version_is_published_while_a_batch_decides_on_tickets_and_neither_waits_in_a_circle(tell: Tell) -> None:
    here = entered(tell, 1)
    running = here.house.here.running
    text = here.document(document(spring(REASON, closes="2026-04-01") + wheel()))

    async def meet() -> str:
        async with running.database.pool.acquire() as batch:
            transaction = batch.transaction()
            await transaction.start()
            await batch.execute("set local lock_timeout = '3s'")
            # A batch: the draws that it grants tickets of, then rows that refer to the program.
            assert await stored.open_draws(batch, here.program, ["spring"], lock=True)
            publishing = asyncio.create_task(_publish(here, text))
            await asyncio.sleep(0.3)
            await batch.execute("select 1 from program where id = $1 for key share", here.program)
            published = await asyncio.wait_for(publishing, 3)
            await transaction.commit()
            return type(published).__name__

    assert here.house.run(meet()) == "Published"
    assert here.get("/v1/draws/spring")["announcement"]["closes_at"] == "2026-04-02T00:00:00+08:00"


async def _publish(here: Story, text: str, versions: Any = None) -> Any:
    running = here.house.here.running
    versions = versions or await running.intake.versions(here.program)
    now = await running.intake.now(here.program)
    return await publish(running.database, running.clock, versions, here.program, text, None, now or 0)


def test_promises_are_judged_by_the_version_that_was_published_a_moment_ago(tell: Tell) -> None:
    """Two publish at once: the second knew nothing of the first, whose reason it would have used again."""
    here = entered(tell, 1)
    running = here.house.here.running
    before = here.house.run(running.intake.versions(here.program))
    here.publish(document(spring(REASON, closes="2026-04-01") + wheel()))
    text = here.document(document(spring(REASON, closes="2026-03-20") + wheel()))
    refused = here.house.run(_publish(here, text, before))
    assert isinstance(refused, Refusal)
    assert refused.code == "needs_reason"


def test_another_time_zone_announces_nothing_anew_where_the_instants_stay(tell: Tell) -> None:
    text = document(spring(opens="2026-03-01T00:00:00+08:00", closes="2026-04-01T00:00:00+08:00"))
    here = tell(text)
    here.enrol("ann", at="2026-03-02")
    before = here.get("/v1/draws/spring")
    here.publish(text.replace("Asia/Shanghai", "Europe/Berlin"))
    assert here.get("/v1/draws/spring")["announcement_digest"] == before["announcement_digest"]
    assert record(here)["replaced"] == []


def test_another_time_zone_moves_the_days_of_a_wheel_and_so_needs_a_reason(tell: Tell) -> None:
    text = document(wheel("2026-03-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00"))
    here = tell(text)
    here.enrol("ann", at="2026-02-02")
    here.publish(text.replace("Asia/Shanghai", "Europe/Berlin"), refused="needs_reason")
    assert record(here, "wheel")["replaced"] == []


def test_a_draw_is_announced_to_open_when_the_version_that_brings_it_takes_effect(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-02")
    here.publish(document(spring() + wheel()), effective="2026-03-10")
    here.post("ann", "purchase", bought("early", "100.00"), at="2026-03-09")
    assert part(here, "ann") is None
    announced = here.get("/v1/draws/spring")["announcement"]
    assert here.local(announced["opens_at"]) == "2026-03-10 00:00"
    here.post("ann", "purchase", bought("then", "100.00"), at="2026-03-10")
    assert part(here, "ann")["tickets"] == [1]


def test_a_version_that_takes_effect_after_the_close_changes_and_begins_no_draw(tell: Tell) -> None:
    here = entered(tell, 1)
    changed = document(spring(REASON, closes="2026-04-10").replace("2026-04-02T12", "2026-04-12T12") + wheel())
    here.publish(changed, effective="2026-04-01", refused="draw_closed")
    summer = spring().replace("spring:", "summer:")
    here.publish(document(spring() + wheel() + summer), effective="2026-04-01", refused="draw_closed")
    assert record(here)["replaced"] == []


def test_what_a_wheel_gives_stays_once_it_has_opened_and_turns_verify_after_it_is_extended(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-01 08:00")
    here.post("ann", "check_in", at="2026-03-02 10:00")
    assert here.call("POST", "/v1/members/ann/draws/wheel/play", {})[0] == 200
    here.publish(document(wheel(odds="1/3").rstrip() + REASON + "\n"), refused="draw_opened")
    here.publish(document(wheel(opens="2026-03-03").rstrip() + REASON + "\n"), refused="draw_opened")
    here.publish(document(wheel(closes="2026-04-02").rstrip() + REASON + "\n"))
    here.clock("2026-04-03")
    found = record(here, "wheel")
    assert (len(found["days"]), len(found["replaced"]), faults(found)) == (33, 1, [])


def test_a_plan_says_which_draws_keep_it_from_being_published_and_who_has_tickets(tell: Tell) -> None:
    here = entered(tell, 3)
    more = spring().replace("alternates: 3", "alternates: 4")
    assert here.refused_by_plan(document(more + wheel())) == [("spring", "needs_reason")]
    assert here.refused_by_plan(document(spring(REASON).replace("alternates: 3", "alternates: 4") + wheel())) == []
    assert here.refused_by_plan(document(spring() + wheel(odds="1/3"))) == [("wheel", "draw_opened")]
    # The campaign has given nothing but tickets, to all three.
    gone = here.plan(document(spring() + wheel()).replace("per: '100.00'", "per: '200.00'"))
    (change,) = [each for path, each in gone.items() if path.startswith("/campaigns/spring_tickets")]
    assert (change["takes_away"], change["members"]) == (True, 3)
    here.clock("2026-04-01 10:00")
    assert here.refused_by_plan(document(more + wheel())) == [("spring", "draw_closed")]
    old = spring(closes="2026-03-20").replace("spring:", "old:").replace("2026-04-02T12", "2026-03-22T12")
    assert here.refused_by_plan(document(spring() + wheel() + old)) == [("old", "draw_closed")]
    here.publish(document(spring() + wheel() + old), refused="draw_closed")


# --- erased winners ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["10D", None])
def test_a_winner_who_is_erased_before_claiming_makes_room_for_an_alternate(tell: Tell, claim: str | None) -> None:
    text = spring() if claim else spring().replace("  claim: 10D\n", "")
    here = tell(document(text + wheel()))
    for n in range(8):
        here.enrol(f"m-{n}", at="2026-02-01")
        here.post(f"m-{n}", "purchase", bought(f"o-{n}", "100.00"), at="2026-03-02 10:00")
    here.clock("2026-04-02 12:00")
    first = winners(here)[1]
    second = owners(here)[record(here)["alternates"][0].partition(":")[0]]
    assert part(here, first)["prizes"][0]["status"] == "open"
    erase(here, first)
    assert go_on(here) > 0
    assert part(here, second)["prizes"][0]["status"] == "open"
    status, _ = here.call("POST", f"/v1/members/{second}/draws/spring/prizes/1/claim", {})
    assert status == 200
    go_on(here)
    found = record(here)
    assert [each["status"] for each in found["awards"] if each["place"] == 1] == ["forfeited", "claimed"]
    assert (here.get("/v1/draws/spring")["state"], faults(found)) == ("settled", [])


def test_nobody_else_records_that_a_prize_goes_to_an_alternate(tell: Tell) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    sent = here.activity(winners(here)[1], "draw_forfeit", {"draw": "spring", "place": 1})
    assert here.malformed(sent) != []


def test_who_was_erased_before_the_close_has_no_part_though_time_goes_on_for_what_they_left(tell: Tell) -> None:
    """The prize of one draw is passed over after another one has closed, in which the erased winner had tickets."""
    later = spring(closes="2026-04-20").replace("spring:", "later:").replace("2026-04-02T12", "2026-04-22T12")
    both = "later_tickets: {on: purchase, grant: {tickets: later, per: '100.00'}}\n"
    here = tell(document(spring().replace("  claim: 10D\n", "") + later, campaigns=both))
    for n in range(8):
        here.enrol(f"m-{n}", at="2026-02-01")
        here.post(f"m-{n}", "purchase", bought(f"o-{n}", "100.00"), at="2026-03-02 10:00")
    here.clock("2026-04-02 12:00")
    erase(here, winners(here)[1])
    here.drift("2026-04-21 00:30")
    go_on(here)
    found = here.get("/v1/draws/later")
    assert (found["state"], found["entries"]) == ("closed", 7)


# --- many draws, many prizes ------------------------------------------------------------------------------------------


def test_every_draw_goes_on_however_many_there_are(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_PAGE", 2)
    draws = "".join(spring().replace("spring:", f"draw_{n}:") for n in range(5))
    here = tell(document(draws))
    here.enrol("ann", at="2026-03-01")
    here.clock("2026-05-01")
    assert {each["state"] for each in here.get("/v1/draws")["items"]} == {"settled"}


def test_with_nothing_to_do_for_open_prizes_a_round_reads_no_draw_and_no_prize(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    go_on(here)
    read: list[str] = []
    for name in ("draw_row", "due_awards", "parts_in"):
        real = getattr(stored, name)

        async def noted(*arguments: Any, name: str = name, real: Any = real, **more: Any) -> Any:
            read.append(name)
            return await real(*arguments, **more)

        monkeypatch.setattr(stored, name, noted)
    assert (go_on(here), read) == (0, [])
    here.post(winners(here)[1], "view", {"subject": "window"})
    assert (go_on(here), "parts_in" in read) == (0, True), "the control: whoever did something is looked at"
    read.clear()
    assert (go_on(here), read) == (0, [])


def test_many_prizes_are_sent_out_page_by_page(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty places in pages of nine: a prize is looked at when something happened to it, not to any of them."""
    monkeypatch.setattr(stored, "_PAGE", 9)
    here = tell(document(spring().replace("quantity: 2", "quantity: 39")))
    for n in range(45):
        here.enrol(f"m-{n}", at="2026-02-01")
    sent = [here.activity(f"m-{n}", "purchase", bought(f"o-{n}", "100.00"), at="2026-03-02") for n in range(45)]
    here.batch(*sent)
    settled = []
    real = stored.settle_awards

    async def noted(*arguments: Any) -> int:
        settled.append(len(arguments[3]))
        return await real(*arguments)

    monkeypatch.setattr(stored, "settle_awards", noted)
    here.clock("2026-04-02 12:00")
    assert sum(settled) <= 40 + 2
    assert (len(record(here)["awards"]), faults(record(here))) == (40, [])


def test_a_claim_is_answered_though_the_draw_cannot_go_on(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    winner = winners(here)[1]

    async def fail(*_: Any) -> Any:
        raise Unavailable("no connection is free")

    with monkeypatch.context() as patch:
        patch.setattr(stored, "due_draws", fail)
        patch.setattr(stored, "draw_rows", fail)
        status, answered = here.call("POST", f"/v1/members/{winner}/draws/spring/prizes/1/claim", {})
    assert (status, answered["part"]["prizes"][0]["status"]) == (200, "claimed")
    go_on(here)
    assert here.get("/v1/draws/spring")["state"] == "settled"


# --- the record and the database --------------------------------------------------------------------------------------


def test_a_record_is_of_one_instant_whatever_happens_while_it_is_read(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = entered(tell)
    here.clock("2026-04-01 10:00")
    running = here.house.here.running
    real = stored.award_rows
    here.drift("2026-04-02 12:00")

    async def meanwhile(*arguments: Any) -> Any:
        await running.intake.go_on_with_draws(here.program)
        return await real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(draw_records, "award_rows", meanwhile)
        found = record(here)
    assert (found["drawn_at"], found["awards"], faults(found)) == (None, [], ["not_drawn"])
    assert_drawn_once(here)


def test_the_plays_of_a_draw_are_read_through_an_index_of_them_alone(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-01")
    running = here.house.here.running

    async def plan() -> str:
        async with running.database.pool.acquire() as connection, connection.transaction():
            await connection.execute("set local enable_seqscan = off")
            rows = await connection.fetch(
                "explain " + draw_records.PLAYS.replace("$1", f"'{here.program}'").replace("$2", "'wheel'")
            )
            return "\n".join(row[0] for row in rows)

    told = here.house.run(plan())
    assert "activity_played" in told
    assert "->> 'draw'::text) = 'wheel'" in told.partition("Index Cond")[2].partition("\n")[0]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from draw where program = '{}'",
        "truncate draw cascade",
        "update draw set state = 'drawn' where id = 'spring' and program = '{}'",
        "update draw set kind = 'instant' where id = 'spring' and program = '{}'",
        "update draw set id = 'other' where id = 'spring' and program = '{}'",
    ],
)
def test_not_even_the_owner_takes_a_draw_back_or_lets_it_leap(tell: Tell, statement: str) -> None:
    here = entered(tell, 1)
    running = here.house.here.running

    async def attempt() -> None:
        connection = await asyncpg.connect(running.url.replace("laurels_engine@", "laurels@"))
        try:
            await connection.execute("set search_path = laurels")
            await connection.execute(statement.format(here.program))
        finally:
            await connection.close()

    with pytest.raises(asyncpg.RaiseError):
        here.house.run(attempt())


def test_a_prize_that_was_settled_is_not_settled_otherwise_by_who_saw_it_before(tell: Tell) -> None:
    """Two look at the same prize; what the second one saw before the first one noted it is noted no more."""
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    running = here.house.here.running
    program, at = here.program, here.now or 0

    async def twice() -> list[int]:
        zone = (await running.intake.versions(program)).judging(at).zone
        async with running.database.pool.acquire() as connection:
            (due,) = await stored.due_awards(connection, program, "spring", at + 20 * 86_400_000_000, (0, -1))
            transaction = connection.transaction()
            await transaction.start()
            found = [
                await stored.settle_awards(connection, program, "spring", [(due, "forfeited")], at, zone)
                for _ in range(2)
            ]
            found.append(await connection.fetchval("select max(alternate) from draw_award where program = $1", program))
            await transaction.rollback()
            return found

    assert here.house.run(twice()) == [1, 0, 1]


# --- vouchers as prizes -----------------------------------------------------------------------------------------------


def test_a_voucher_that_was_won_pays_for_an_order_and_the_record_verifies(tell: Tell) -> None:
    text = spring().replace("gives: {wallet: points, points: 500}", "gives: {voucher: treat}")
    treat = "\nvouchers:\n  treat: {name: {en: Treat, zh-CN: 点心}, gives: {off: '10.00'}, expires: {after: 30D}}\n"
    here = tell(document(text) + treat)
    for n in range(4):
        here.enrol(f"m-{n}", at="2026-02-01")
        here.post(f"m-{n}", "purchase", bought(f"o-{n}", "100.00"), at="2026-03-02 10:00")
    here.clock("2026-04-02 12:00")
    winner = winners(here)[2]
    (prize,) = part(here, winner)["prizes"]
    assert (prize["prize"], prize["status"]) == ("gift", "given")
    (voucher,) = here.get(f"/v1/members/{winner}/vouchers")["items"]
    assert (voucher["voucher"], voucher["status"]) == ("treat", "issued")
    assert record(here)["announcement"]["prizes"][1]["voucher"] == "treat"
    assert faults(record(here)) == []
