"""Draws through the public interface: announced, entered, closed, drawn, settled; played; and what nobody can do."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from laurels.core.draw import Entry, commitment_of
from laurels.core.draw_record import verify
from laurels.proof.difference import Difference
from laurels.proof.draws import judge_draws
from laurels.proof.whole import judge_versions
from laurels.store import draws as stored
from tests.api.harness import Json
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell

RULES = "{time: {en: a, zh-CN: b}, method: {en: a, zh-CN: b}, claim: {en: a, zh-CN: b}, forfeiture: {en: a, zh-CN: b}}"
NAME = "{en: a, zh-CN: b}"
DISABLED = "alter table draw disable trigger all; "


def spring(changes: str = "", closes: str = "2026-03-31", opens: str = "2026-03-01", **words: str) -> str:
    """A scheduled draw: a bicycle to be claimed, and two gifts of points; staff has no part in it."""
    more = "".join(f"\n  {word}: {text}" for word, text in words.items())
    return f"""
spring:
  name: {NAME}
  opens: {opens}
  closes: {closes}
  draws_at: 2026-04-02T12:00:00+08:00
  alternates: 3
  exclude: member.staff
  claim: 10D
  rules: {RULES}
  prizes:
    bicycle: {{name: {NAME}, value: 2999.00, quantity: 1}}
    gift: {{name: {NAME}, value: 5, quantity: 2, gives: {{wallet: points, points: 500}}}}{changes}{more}
"""


def wheel(opens: str = "2026-03-01", closes: str = "2026-03-31", odds: str = "1/2", quantity: int = 2) -> str:
    """An instant draw: mugs that run out, and coffee that does not."""
    return f"""
wheel:
  name: {NAME}
  kind: instant
  opens: {opens}
  closes: {closes}
  rules: {RULES}
  prizes:
    mug: {{name: {NAME}, value: 5, quantity: {quantity}, odds: {odds}}}
  fallback: {{name: {NAME}, value: 1, gives: {{wallet: points, points: 3}}}}
"""


def document(draws: str = spring() + wheel(), campaigns: str = "") -> str:
    """A ticket of the spring draw for every 100 yuan, a turn of the wheel for a check-in."""
    tickets = "spring_tickets: {on: purchase, grant: {tickets: spring, per: '100.00'}}\n" if "spring:" in draws else ""
    turns = "turns: {on: check_in, grant: {tickets: wheel}}\n" if "wheel:" in draws else ""
    return shop(
        draws=draws,
        campaigns=tickets + turns + campaigns,
        fields="member: {staff: {type: bool, default: false}}",
    )


def entered(tell: Tell, members: int = 8, **words: str) -> Story:
    """Members m-0 to m-7 have one ticket, two, three, ..."""
    here = tell(document(spring(**words) + wheel()))
    for n in range(members):
        here.enrol(f"m-{n}", at="2026-02-01")
    for n in range(members):
        here.post(f"m-{n}", "purchase", bought(f"o-{n}", f"{100 * (n + 1)}.00"), at="2026-03-02 10:00")
    return here


def bought(order: str, amount: str) -> dict[str, Json]:
    return {"order": order, "lines": [{"line": "1", "amount": amount}]}


def go_on(here: Story) -> int:
    """What the worker does in its rounds."""
    return here.house.run(here.house.here.running.intake.go_on_with_draws(here.program))


def record(here: Story, draw: str = "spring") -> Json:
    return here.get(f"/v1/draws/{draw}/record")


def faults(found: Json) -> list[str]:
    return [fault.code for fault in verify(json.dumps(found).encode())[1]]


def part(here: Story, member: str, draw: str = "spring") -> Json:
    items = here.get(f"/v1/members/{member}/draws")["items"]
    return next((each for each in items if each["draw"] == draw), None)


def winners(here: Story) -> dict[int, str]:
    """Who won each place."""
    owners = {part(here, member)["number"]: member for member in here.members if part(here, member)}
    return {won["place"]: owners[won["entry"].partition(":")[0]] for won in record(here)["winners"]}


# --- the life of a draw -----------------------------------------------------------------------------------------------


def test_a_draw_is_announced_with_its_commitment_then_closed_then_drawn_and_verifies(tell: Tell) -> None:
    here = entered(tell)
    more = here.post("m-0", "purchase", bought("o-more", "0.10"))
    assert more.json["grants"] == []
    before = here.get("/v1/draws/spring")
    assert (before["state"], before["root"], before["drawn_at"]) == ("open", None, None)
    assert len(before["announcement"]["commitment"]) == 64
    assert faults(record(here)) == ["not_drawn"]
    assert record(here)["seed"] is None
    here.clock("2026-04-01 10:00")
    closed = here.get("/v1/draws/spring")
    assert (closed["state"], closed["entries"], here.local(closed["closed_at"])) == ("closed", 36, "2026-04-01 00:00")
    assert closed["announcement_digest"] == before["announcement_digest"]
    assert (record(here)["seed"], record(here)["entries"]) == (None, [])
    here.clock("2026-04-02 12:00")
    drawn = record(here)
    assert faults(drawn) == []
    assert drawn["closing"]["root"] == closed["root"]
    seed = bytes.fromhex(drawn["seed"])
    assert commitment_of(f"{here.program}/spring", seed).hex() == before["announcement"]["commitment"]
    assert (len(drawn["entries"]), len(drawn["winners"]), len(drawn["alternates"])) == (36, 3, 3)
    won = winners(here)
    assert len(set(won.values())) == 3
    for place, member in won.items():
        (prize,) = part(here, member)["prizes"]
        assert (prize["place"], prize["status"]) == (place, "open" if place == 1 else "given")
    given = [each for member in here.members for each in here.journal(member) if each["reason"] == "prize"]
    assert [each["points"] for each in given] == [500, 500]
    drawn["winners"][0]["entry"] = drawn["alternates"][0]
    assert "winner_differs" in faults(drawn)


def test_a_prize_that_is_not_claimed_goes_to_the_first_alternate_and_then_to_the_second(tell: Tell) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    first = winners(here)[1]
    owners = {part(here, member)["number"]: member for member in here.members}
    second, third = [owners[entry.partition(":")[0]] for entry in record(here)["alternates"][:2]]
    here.clock("2026-04-12 12:00")
    assert part(here, first)["prizes"][0]["status"] == "forfeited"
    assert part(here, second)["prizes"][0]["status"] == "open"
    status, answered = here.call("POST", f"/v1/members/{first}/draws/spring/prizes/1/claim", {})
    assert (status, answered["code"]) == (409, "prize_not_open")
    here.clock("2026-04-22 12:00")
    status, answered = here.call("POST", f"/v1/members/{third}/draws/spring/prizes/1/claim", {})
    assert (status, answered["part"]["prizes"][0]["status"]) == (200, "claimed")
    go_on(here)
    assert here.get("/v1/draws/spring")["state"] == "settled"
    found = record(here)
    assert faults(found) == []
    assert [(each["place"], each["alternate"], each["status"]) for each in found["awards"] if each["place"] == 1] == [
        (1, None, "forfeited"), (1, 1, "forfeited"), (1, 2, "claimed"),
    ]  # fmt: skip


def test_tickets_of_a_purchase_returned_before_the_close_do_not_win_and_afterwards_stand(tell: Tell) -> None:
    here = entered(tell)
    for n in range(1, 8):
        here.post(f"m-{n}", "return", {"order": f"o-{n}"}, at="2026-03-30 10:00")
    assert part(here, "m-7")["tickets"] == []
    here.drift("2026-04-01 08:00")
    here.post("m-0", "return", {"order": "o-0"})
    here.clock("2026-04-02 12:00")
    found = record(here)
    assert [entry.partition(":")[2] for entry in found["entries"]] == ["1"]
    assert winners(here) == {1: "m-0"}
    assert faults(found) == []


def test_who_is_excluded_by_the_close_cannot_win(tell: Tell) -> None:
    here = entered(tell)
    for n in range(7):
        here.post(f"m-{n}", "member_change", {"attributes": {"staff": True}}, at="2026-03-30 10:00")
    here.clock("2026-04-02 12:00")
    assert winners(here) == {1: "m-7"}
    assert part(here, "m-0")["excluded"] is True
    assert (len(record(here)["entries"]), faults(record(here))) == (8, [])


def test_an_erased_member_does_not_win_and_is_not_in_the_way(tell: Tell) -> None:
    here = entered(tell)
    status, _ = here.call("DELETE", "/v1/members/m-7")
    assert status in (200, 204)
    here.members.remove("m-7")
    here.clock("2026-04-02 12:00")
    assert len(record(here)["entries"]) == 28
    assert faults(record(here)) == []


def test_a_winner_who_is_erased_before_the_prize_arrives_makes_room_for_an_alternate(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = entered(tell)
    here.clock("2026-04-01")
    running = here.house.here.running

    async def draw_and_stop(*_: Any) -> Any:
        raise ConnectionError("the process dies before a prize is sent")

    with monkeypatch.context() as patch:
        patch.setattr(stored, "due_awards", draw_and_stop)
        here.drift("2026-04-02 12:00")
        with pytest.raises(ConnectionError):
            here.house.run(running.intake.go_on_with_draws(here.program))
    assert here.get("/v1/draws/spring")["state"] == "drawn"
    gone = winners(here)[1]
    assert here.call("DELETE", f"/v1/members/{gone}")[0] in (200, 204)
    here.members.remove(gone)
    here.house.run(running.intake.go_on_with_draws(here.program))
    found = record(here)
    assert [each["status"] for each in found["awards"] if each["place"] == 1] == ["refused", "open"]
    assert faults(found) == []


# --- nobody can -------------------------------------------------------------------------------------------------------


def test_a_published_draw_changes_with_a_reason_that_is_published_or_not_at_all(tell: Tell) -> None:
    here = entered(tell)
    later = {"closes": "2026-04-01"}
    here.publish(document(spring(**later) + wheel()), refused="needs_reason")
    reason = "\n  changes: [{at: 2026-03-05, reason: {en: longer, zh-CN: 延期}}]"
    here.publish(document(spring(reason, **later) + wheel()))
    assert here.get("/v1/draws/spring")["announcement"]["replaces"]["reason"] == {"en": "longer", "zh-CN": "延期"}
    here.post("m-0", "purchase", bought("late", "100.00"), at="2026-04-01 12:00")
    here.publish(document(spring("", **later) + wheel()), refused="needs_reason")
    last = here.post("m-1", "purchase", bought("late-2", "200.00"))
    assert last.json["grants"] == [{"kind": "draw_ticket", "draw": "spring", "count": 2, "tickets": [3, 4]}]
    here.clock("2026-04-02 12:00")
    found = record(here)
    assert (len(found["entries"]), len(found["replaced"]), faults(found)) == (39, 1, [])
    here.publish(document(spring(reason, closes="2026-03-30") + wheel()), refused="draw_closed")


def test_no_draw_can_be_repeated_or_stopped_in_the_database(tell: Tell) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    first = record(here)
    here.house.run(here.house.here.running.intake.go_on_with_draws(here.program))
    assert record(here) == first
    running = here.house.here.running

    async def try_to(statement: str) -> None:
        connection = await asyncpg.connect(running.url.replace("laurels_engine@", "laurels@"))
        try:
            await connection.execute("set search_path = laurels")
            await connection.execute(statement)
        finally:
            await connection.close()

    for statement in (
        "update draw set state = 'closed' where id = 'spring' and program = '{}'",
        "update draw set state = 'open' where id = 'spring' and program = '{}'",
        "update draw set seed = '\\x00' where id = 'spring' and program = '{}'",
        "update draw set winners = '[]' where id = 'spring' and program = '{}'",
        "update draw set root = '\\x00' where id = 'spring' and program = '{}'",
        "update draw set announcement = '{{}}' where id = 'spring' and program = '{}'",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            here.house.run(try_to(statement.format(here.program)))
        assert isinstance(refused.value, asyncpg.RaiseError), f"not by what keeps draws going on: {statement}"
    for statement in ("delete from draw", "delete from draw_award", "update draw_entry set member = 'x'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            here.house.run(running.database.pool.execute(statement))


@pytest.mark.parametrize("step", ["begin_closing", "close", "draw_winners", "settle_awards", "end"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_any_step_leaves_a_draw_that_goes_on_once(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    here = entered(tell)
    here.drift("2026-04-02 12:00")
    running = here.house.here.running
    real: Callable[..., Awaitable[Any]] = getattr(stored, step)
    died: list[str] = []

    async def die(*arguments: Any) -> Any:
        if not died and when == "before":
            died.append(step)
            raise ConnectionError(step)
        answered = await real(*arguments)
        if not died:
            died.append(step)
            raise ConnectionError(step)
        return answered

    monkeypatch.setattr(stored, step, die)
    with pytest.raises(ConnectionError):
        here.house.run(running.intake.go_on_with_draws(here.program))
    here.house.run(running.intake.go_on_with_draws(here.program))
    assert_drawn_once(here)


def assert_drawn_once(here: Story) -> None:
    found = record(here)
    assert faults(found) == []
    assert len(found["awards"]) == 3
    prizes = Counter(
        prize["prize"] for member in here.members for prize in (part(here, member) or {"prizes": []})["prizes"]
    )
    assert prizes == {"bicycle": 1, "gift": 2}


def test_two_processes_that_go_on_at_once_draw_once_and_give_each_prize_once(tell: Tell) -> None:
    here = entered(tell)
    here.drift("2026-04-02 12:00")
    intakes = [here.house.here.running.intake, here.house.neighbour.running.intake] * 2

    async def race() -> None:
        await asyncio.gather(*[intake.go_on_with_draws(here.program) for intake in intakes])

    here.house.run(race())
    here.house.run(intakes[0].go_on_with_draws(here.program))
    assert_drawn_once(here)


# --- instant wins -----------------------------------------------------------------------------------------------------


def play(here: Story, member: str) -> Json:
    status, played = here.call("POST", f"/v1/members/{member}/draws/wheel/play", {})
    assert status == 200, played
    return played


def test_a_wheel_gives_what_the_key_of_the_day_says_and_its_record_verifies_when_it_is_over(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-01 08:00")
    for n in range(12):
        here.post("ann", "check_in", at=f"2026-03-02 10:{n:02}")
    plays = [play(here, "ann") for _ in range(12)]
    mugs = [each for each in plays if each["drawn"] == "mug"]
    assert len({each["ticket"] for each in plays}) == 12
    assert [each["given"] for each in mugs] == (["mug", "mug"] + ["fallback"] * 12)[: len(mugs)]
    status, answered = here.call("POST", "/v1/members/ann/draws/wheel/play", {})
    assert (status, answered["code"]) == (409, "no_ticket")
    assert record(here, "wheel")["days"][0]["plays"] == [], "the day is not over: the day before it is"
    assert [day["day"] for day in record(here, "wheel")["days"]] == ["2026-03-01"]
    here.clock("2026-04-01")
    found = record(here, "wheel")
    assert (here.get("/v1/draws/wheel")["state"], faults(found)) == ("settled", [])
    told = {each["entry"]: each["given"] for day in found["days"] for each in day["plays"]}
    assert told == {each["entry"]: each["given"] for each in plays}
    found["days"][1]["plays"][0]["given"] = "mug" if plays[0]["given"] != "mug" else None
    assert "given_differs" in faults(found) or "over_quantity" in faults(found)


def test_an_explanation_says_in_both_languages_which_tickets_and_prizes_there_were(tell: Tell) -> None:
    mug = "mug: {name: {en: Mug, zh-CN: 马克杯}"
    draws = wheel(odds="1/1").replace(f"mug: {{name: {NAME}", mug).replace(NAME, "{en: Wheel, zh-CN: 转盘}", 1)
    here = tell(document(draws))
    here.enrol("ann", at="2026-03-01 08:00")
    turn = here.post("ann", "check_in", at="2026-03-02 10:00").json
    played = play(here, "ann")["activity"]
    for answer, en, zh in (
        (turn, 'Tickets of the draw "Wheel" that campaigns gave: 1.', "营销活动赠送抽奖「转盘」的抽奖券 1 张。"),
        (played, 'The draw "Wheel" gave the prize "Mug".', "抽奖「转盘」中得奖品「马克杯」。"),
    ):
        (grant,) = answer["grants"]
        told = here.explanation("ann", answer["id"], answer["source"])["grants"]
        assert told == [{**grant, "text": {"en": en, "zh-CN": zh}}]


def test_a_return_lists_among_its_grants_how_many_tickets_became_void(tell: Tell) -> None:
    here = tell(document(spring().replace(NAME, "{en: Spring, zh-CN: 春天}", 1)))
    here.enrol("ann", at="2026-03-01 08:00")
    here.post("ann", "purchase", bought("o", "300.00"), at="2026-03-02 10:00")
    # Of three tickets 100.00 take one, and the rest of the order the other two.
    for lines, count in (([("1", "100.00")], 1), ([], 2)):
        back = here.give_back("ann", "o", *lines)
        void = {"kind": "draw_ticket", "draw": "spring", "count": -count}
        assert back.json["grants"] == [void]
        text = {
            "en": f'Tickets of the draw "Spring" that became void: {count}.',
            "zh-CN": f"抽奖「春天」的抽奖券作废 {count} 张。",
        }
        assert here.explanation("ann", back.json["id"])["grants"] == [{**void, "text": text}]
    # Once the draw has closed they stand, and none is listed.
    here.post("ann", "purchase", bought("late", "100.00"), at="2026-03-31 10:00")
    here.clock("2026-04-02")
    assert here.give_back("ann", "late").json["grants"] == []


def test_the_key_of_a_day_stays_secret_until_nobody_can_play_with_it(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-01 08:00")
    here.clock("2026-03-02 00:09")
    assert record(here, "wheel")["days"] == []
    here.clock("2026-03-02 00:10")
    assert [day["day"] for day in record(here, "wheel")["days"]] == ["2026-03-01"]


def test_a_quote_says_what_tickets_a_cart_would_give_and_gives_none(tell: Tell) -> None:
    here = entered(tell, 1)
    data = {"lines": [{"line": "1", "amount": "300.00"}]}
    status, quoted = here.call("POST", "/v1/quotes", {"id": "q", "member": "m-0", "data": data})
    assert status == 200
    told = {each["campaign"]: each["granted"] for each in quoted["explanation"]}
    assert told["spring_tickets"] == 3
    assert part(here, "m-0")["tickets"] == [1]


def test_a_play_with_the_same_key_is_the_same_play(tell: Tell) -> None:
    here = tell(document(wheel()))
    here.enrol("ann", at="2026-03-01 08:00")
    for n in range(2):
        here.post("ann", "check_in", at=f"2026-03-02 10:{n:02}")
    first = here.call("POST", "/v1/members/ann/draws/wheel/play", {}, key="turn-1")
    assert here.call("POST", "/v1/members/ann/draws/wheel/play", {}, key="turn-1") == first
    assert part(here, "ann", "wheel")["ready"] == [2]


def test_who_plays_for_the_last_prize_at_once_does_not_get_it_twice(tell: Tell) -> None:
    here = tell(document(wheel("2026-01-01", "2026-12-31", odds="100/100", quantity=3)), mode="live")
    members = [f"m-{n}" for n in range(10)]
    for member in members:
        here.enrol(member, at="2026-01-01")
    sent = [here.activity(member, "check_in") for member in members]
    assert {answer.status for answer in here.batch(*sent)} == {"accepted"}
    answers = here.at_once(*[(f"/v1/members/{member}/draws/wheel/play", {}) for member in members])
    assert {status for status, _ in answers} == {200}
    assert Counter(played["given"] for _, played in answers) == {"mug": 3, "fallback": 7}
    assert {played["drawn"] for _, played in answers} == {"mug"}


def test_a_members_number_tells_nobody_who_they_are(tell: Tell) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    number = part(here, "m-0")["number"]
    assert Entry(number, 1).text in record(here)["entries"]
    assert number not in {sha256(text.encode()).hexdigest()[:32] for text in ("m-0", f"{here.program}/spring/m-0")}
    assert "m-0" not in json.dumps(record(here))


# --- proof ------------------------------------------------------------------------------------------------------------


async def judged_draws(connection: asyncpg.Connection, program: str) -> list[Difference]:
    """What `verify` says of the program's draws."""
    _differences, history = await judge_versions(connection, program)
    now = await connection.fetchval("select clock from program where id = $1", program)
    return await judge_draws(connection, program, history, now)


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("update draw_entry set tickets = '[1]' where tickets <> '[1]'", "draw_entry"),
        ("delete from draw_entry where tickets = '[1]'", "draw_entry"),
        ("update draw_secret set seed = decode(repeat('00', 32), 'hex')", "seed"),
        (
            "update draw_award set number = (select min(number) from draw_entry where number <> draw_award.number)",
            "draw_award",
        ),
        ("update draw_award set turn = turn + 7 where place = 1", "draw_award"),
        (f"{DISABLED}update draw set winners = alternates", "winners"),
        (f"{DISABLED}update draw set root = '\\x00'", "root"),
        (f"{DISABLED}update draw set entries = 7", "entries"),
        ("delete from draw_secret", "draw_secret"),
        (
            f"{DISABLED}update draw set announcement = replace(announcement, '1/2', '1/3') where id = 'wheel'",
            "announcement",
        ),
        (f"{DISABLED}update draw set closes_at = closes_at + 1 where id = 'wheel'", "closes_at"),
        ("update draw_award set status = 'claimed' where status = 'open'", "draw_award"),
        ("update draw_award set status = 'forfeited' where status = 'open'", "draw_award"),
        ("update draw_award set until = until + 1 where status = 'open'", "draw_award"),
        ("update draw_award set status = 'refused' where status = 'given'", "draw_award"),
    ],
)
def test_verify_names_whatever_is_changed_of_a_draw(tell: Tell, statement: str, column: str) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    running = here.house.here.running

    async def judged() -> list[str]:
        connection = await asyncpg.connect(running.url.replace("laurels_engine@", "laurels@"))
        try:
            await connection.execute("set search_path = laurels")
            assert await judged_draws(connection, here.program) == []
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(statement)
            found = await judged_draws(connection, here.program)
            await transaction.rollback()
            return [each.column for each in found]
        finally:
            await connection.close()

    assert column in here.house.run(judged())


def test_no_ticket_is_granted_behind_a_closing(tell: Tell) -> None:
    """Whoever closes waits for a batch that decided on the draw while it was open, and sees its tickets."""
    here = entered(tell, 1)
    running = here.house.here.running
    program = here.program

    async def close_meanwhile() -> tuple[bool, bool]:
        async with running.database.pool.acquire() as batch, running.database.pool.acquire() as closer:
            transaction = batch.transaction()
            await transaction.start()
            held = await stored.open_draws(batch, program, ["spring"], lock=True)
            closing = asyncio.create_task(stored.begin_closing(closer, program, "spring", 2**60))
            await asyncio.sleep(0.3)
            waited = not closing.done() and "spring" in held
            await transaction.commit()
            await closing
            return waited, "spring" in await stored.open_draws(batch, program, ["spring"], lock=True)

    assert here.house.run(close_meanwhile()) == (True, False)
    late = here.post("m-0", "purchase", bought("late", "500.00"), at="2026-03-05")
    assert late.json["grants"] == []
    assert late.why("spring_tickets")[0] == "draw_not_open"


def test_tickets_of_a_reserved_quote_come_with_its_order_while_the_draw_takes_them(tell: Tell) -> None:
    here = entered(tell, 2)
    here.clock("2026-03-31 23:50")
    promised = here.reserve("m-0", "q-0", "300.00")
    assert (promised["quote"]["points"], promised["quote"]["tickets"]) == ({"points": 300}, {"spring": 3})
    here.reserve("m-1", "q-1", "300.00")
    assert part(here, "m-0")["tickets"] == [1]
    kept = here.buy("m-0", "o-q-0", "300.00", quote="q-0")
    assert kept.json["prices"]["quote"]["code"] == "kept"
    assert part(here, "m-0")["tickets"] == [1, 2, 3, 4]
    late = here.buy("m-1", "o-q-1", "300.00", quote="q-1", at="2026-04-01 00:05")
    told = {each["campaign"]: (each["code"], each["granted"]) for each in late.json["explanation"]}
    assert (told["spring_tickets"], late.granted("base")) == (("draw_not_open", 0), 300)
    assert len(part(here, "m-1")["tickets"]) == 2
