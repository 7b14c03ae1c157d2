"""What was sent twice counts once, what was refused never was, and a restart changes none of it."""

from typing import Any

from tests.scenarios.document import order_of, shop
from tests.scenarios.house import House
from tests.scenarios.story import Tell

FIRST = ("entries", "explanation", "grants", "recorded_at")


def test_the_same_id_replays_its_first_answer_with_present_balances_also_after_a_restart(
    tell: Tell, house: House
) -> None:
    """Case 12. Decision 14."""
    here = tell(shop("{pending: 7D}"))
    here.enrol("ann", at="2026-03-01")
    sent = here.activity("ann", "purchase", order_of("o-1", "40.00"), at="2026-03-02 10:00", id="p-1")
    (first,) = here.batch(sent)
    assert (first.status, first.points()) == ("accepted", (0, 40, 0, 0))
    here.buy("ann", "o-2", "5.00", at="2026-03-20")
    told = here.told("ann")
    for restarts in (False, True):
        if restarts:
            house.restart()
        # The same activity: another order of keys, an equal instant in another zone, space between.
        body = {**sent, "occurred_at": "2026-03-02T02:00:00Z", "data": dict(reversed(list(sent["data"].items())))}
        (again,) = here.batch(body)
        assert again.status == "replayed"
        assert [again.json[name] for name in FIRST] == [first.json[name] for name in FIRST]
        # The 40 are active since 9 March, the 5 wait until the 27th; the instant says as of when.
        assert again.points() == (40, 5, 0, 0)
        assert here.local(again.json["balances_at"]) == "2026-03-20 00:00"
        assert here.told("ann") == told
        for other in (
            {**sent, "data": order_of("o-1", "40.01")},
            {**sent, "type": "check_in", "data": {}},
            {**sent, "occurred_at": "2026-03-02T02:00:01Z"},
        ):
            status, answered = here.call("POST", "/v1/activities", other)
            assert (status, answered["code"]) == (422, "activity_conflict")
        assert here.told("ann") == told


def test_an_id_is_unique_for_its_source_whoever_the_member_is(tell: Tell) -> None:
    """Case 12."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.enrol("bob")
    here.buy("ann", "o-1", "40.00", id="p-1")
    here.buy("bob", "o-1", "40.00", id="p-1", refused="activity_conflict")
    assert here.points("bob") == (0, 0, 0, 0)


def test_mutations_other_than_activities_replay_by_their_key_also_after_a_restart(tell: Tell, house: House) -> None:
    """Case 12."""
    here = tell(shop(campaigns="welcome: {on: enrol, grant: {wallet: points, fixed: 100}}"))
    body = {"id": "ann", "enrolled_at": here.text("2026-03-01")}
    here.members.append("ann")
    first = here.call("POST", "/v1/members", body, key="k-1")
    house.restart()
    assert here.call("POST", "/v1/members", body, key="k-1") == first
    status, answered = here.call("POST", "/v1/members", {**body, "id": "bob"}, key="k-1")
    assert (status, answered["code"]) == (422, "idempotency_conflict")
    assert here.points("ann") == (100, 0, 0, 0)
    assert len(here.get("/v1/members")["items"]) == 1


# --- what was refused ---


def test_a_return_that_overtakes_its_purchase_is_refused_and_may_come_again_under_its_id(tell: Tell) -> None:
    """Case 19. Decision 7."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.give_back("ann", "o-1", at="2026-03-03", id="r-1", refused="unknown_order")
    here.buy("ann", "o-1", "40.00", at="2026-03-02")
    assert here.give_back("ann", "o-1", at="2026-03-03", id="r-1").moved("available", "issuance") == 40
    here.give_back("ann", "o-9", refused="unknown_order")
    assert here.points("ann") == (0, 0, 0, 0)


def test_a_refused_id_may_come_again_as_something_else(tell: Tell) -> None:
    """Decision 7."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.give_back("ann", "o-1", id="x-1", refused="unknown_order")
    assert here.buy("ann", "o-1", "40.00", id="x-1").status == "accepted"
    # From now on the id is that purchase's.
    here.give_back("ann", "o-1", id="x-1", refused="activity_conflict")


def test_an_unknown_member_is_refused_and_not_made(tell: Tell) -> None:
    """Case 19."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.buy("zoe", "o-1", "40.00", at="2026-03-02", id="p-1", refused="unknown_member")
    here.redeem("zoe", "r-1", 1, refused="unknown_member")
    for path in ("balances", "tiers", "journal", "explanations/pos/p-1"):
        status, answered = here.call("GET", f"/v1/members/zoe/{path}")
        assert (status, answered["code"]) == (404, "no_such_member")
    status, answered = here.call(
        "POST", "/v1/quotes", {"member": "zoe", "data": {"lines": [{"line": "1", "amount": "1"}]}}
    )
    assert (status, answered["code"]) == (409, "unknown_member")
    # Once she has joined, the same purchase may come again.
    here.enrol("zoe", at="2026-03-01")
    assert here.buy("zoe", "o-1", "40.00", at="2026-03-02", id="p-1").granted("base") == 40


def test_a_refused_activity_does_not_move_the_clock(tell: Tell) -> None:
    """Decision 7."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.give_back("ann", "o-1", at="2026-09-01", refused="unknown_order")
    assert here.local(here.get("/v1/program")["now"]) == "2026-03-01 00:00"


# --- many at once ---


def test_of_a_thousand_every_third_is_unfit_and_the_others_are_recorded_once(tell: Tell) -> None:
    """Case 17."""
    here = tell()
    members = [f"m-{n}" for n in range(10)]
    for member in members:
        here.enrol(member, at="2026-03-01")
    batch: list[dict[str, Any]] = []
    expected: list[tuple[str, str]] = []
    for n in range(1000):
        sent = here.activity(f"m-{n % 10}", "purchase", order_of(f"o-{n}", "10.00"), at="2026-03-02", id=f"p-{n}")
        outcome = "accepted"
        if n % 9 == 0:
            unfit: Any = [
                {**sent, "data": order_of(f"o-{n}", "1e1")},
                {**sent, "occurred_at": "tomorrow"},
                {"id": f"p-{n}"},
                {**sent, "data": {"order": f"o-{n}", "lines": []}},
            ]
            sent, outcome = unfit[n // 9 % 4], "invalid"
        elif n % 9 == 3:
            refusals: Any = [
                ({**sent, "member": "nobody"}, "unknown_member"),
                ({**sent, "type": "return", "data": {"order": "unheard-of"}}, "unknown_order"),
                # The id of the one before, with another body; and the order of the one ten before again.
                ({**sent, "id": f"p-{n - 1}"}, "activity_conflict"),
                ({**sent, "data": order_of(f"o-{n - 10}", "10.00")}, "duplicate_order"),
            ]
            sent, outcome = refusals[n // 9 % 4]
            if n == 3:
                assert outcome == "unknown_member", "the first has none ten before"
        elif n % 9 == 6:
            sent, outcome = dict(batch[n - 1]), "replayed"
        batch.append(sent)
        expected.append((sent["id"], outcome))
    answers = here.batch(*batch)
    assert [(each.json["id"], each.code) for each in answers] == expected
    # 334 of 1,000 are unfit: 112 malformed, 111 refused, 111 duplicates. 666 of 10 points each.
    counted = {status: sum(each.status == status for each in answers) for status in ("invalid", "refused", "replayed")}
    assert counted == {"invalid": 112, "refused": 111, "replayed": 111}
    assert sum(here.points(member)[0] for member in members) == 666 * 10
    assert [each.status for each in here.batch(*batch)].count("replayed") == 666 + 111
    assert sum(here.points(member)[0] for member in members) == 666 * 10


def test_each_of_a_batch_is_judged_on_what_those_before_it_left(tell: Tell) -> None:
    """Case 18."""
    here = tell(
        shop(campaigns="third: {on: purchase, when: member.counters.purchases == 2, grant: {wallet: points, fixed: 5}}")
    )
    here.enrol("ann", at="2026-03-01")
    rows = [here.activity("ann", "purchase", order_of(f"o-{n}", "10.00"), at="2026-03-02") for n in range(3)]
    back = here.activity("ann", "return", {"order": "o-0"}, at="2026-03-02")
    taken = here.activity("ann", "adjustment", {"wallet": "points", "points": -25, "reason": "x"}, at="2026-03-02")
    too_much = {**taken, "id": "too-much", "data": {**taken["data"], "points": -1}}
    answers = here.batch(*rows, back, taken, too_much)
    # 10, 20, 30 + 5 with the third purchase, 25 after the return, none after the adjustment, and none left to take.
    assert [each.code for each in answers] == ["accepted"] * 5 + ["below_zero"]
    assert [each.points()[0] for each in answers[:5]] == [10, 20, 35, 25, 0]
    assert here.points("ann") == (0, 0, 0, 0)


def test_a_member_in_concurrent_requests_to_two_processes_loses_and_doubles_nothing(tell: Tell) -> None:
    """Case 18."""
    here = tell(mode="live")
    here.enrol("ann")
    batches = [
        [here.activity("ann", "purchase", order_of(f"o-{r}-{n}", "10.00"), id=f"p-{r}-{n}") for n in range(5)]
        for r in range(10)
    ]
    # Every batch is sent twice, to two processes: one of them records it, the other replays.
    requests: list[tuple[str, Any]] = [("/v1/activities", {"activities": batch}) for batch in batches for _ in range(2)]
    answers = here.at_once(*requests)
    statuses = [item["status"] for _status, answer in answers for item in answer["activities"]]
    assert (statuses.count("accepted"), statuses.count("replayed")) == (50, 50)
    # 50 x 10.
    assert here.points("ann") == (500, 0, 0, 0)
    assert len(here.told("ann")) == 50
