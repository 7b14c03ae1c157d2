"""Redemptions: held, then captured, cancelled or timed out, each once; nobody spends the same points twice."""

import pytest

from tests.api.harness import Json
from tests.scenarios.answer import kinds
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell


def holder(tell: Tell, points: str = "{}") -> Story:
    """Ann has 50 points until June and 50 until September."""
    here = tell(shop(points))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 50, expires="2026-06-01")
    here.adjust("ann", 50, expires="2026-09-01")
    return here


JUNE_AND_SEPTEMBER = [(50, "2026-06-01 00:00"), (50, "2026-09-01 00:00")]


# --- one after the other ---


def test_points_are_consumed_by_earliest_expiry_then_by_age_and_never_expiring_ones_last(tell: Tell) -> None:
    """Decision 8."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    lots = [
        {"points": 1, "earned_at": "2025-03-01T00:00:00Z", "expires_at": None},
        {"points": 2, "earned_at": "2025-02-01T00:00:00Z", "expires_at": "2026-09-01T00:00:00Z"},
        {"points": 4, "earned_at": "2025-01-01T00:00:00Z", "expires_at": "2026-09-01T00:00:00Z"},
        {"points": 8, "earned_at": "2025-06-01T00:00:00Z", "expires_at": "2026-06-01T00:00:00Z"},
    ]
    here.post("ann", "opening_balance", {"wallet": "points", "lots": lots})
    here.redeem("ann", "r", 13)
    # 8 of June, 4 of September that are older, 1 of the other 2.
    consumed = next(each for each in here.journal("ann") if each["state"] == "held")["lots"]
    assert [(lot["points"], here.local(lot["earned_at"])) for lot in consumed] == [
        (8, "2025-06-01 08:00"),
        (4, "2025-01-01 08:00"),
        (1, "2025-02-01 08:00"),
    ]
    assert here.expiring("ann") == [(1, "2026-09-01 08:00"), (1, None)]


def test_a_hold_is_captured_once(tell: Tell) -> None:
    """Decision 8."""
    here = holder(tell)
    assert here.hold("ann", "r", 60)["status"] == "held"
    assert here.points("ann") == (40, 0, 60, 0)
    here.capture("r", 61, refused="capture_exceeds_hold")
    assert here.capture("r")["status"] == "captured"
    assert here.points("ann") == (40, 0, 0, 0)
    here.capture("r", refused="redemption_not_held")
    here.cancel("r", refused="redemption_not_held")
    here.hold("ann", "r", 10, refused="duplicate_redemption")


def test_a_capture_in_part_spends_the_first_lots_and_gives_the_rest_back(tell: Tell) -> None:
    """Decision 8."""
    here = holder(tell)
    here.hold("ann", "r", 80)
    captured = here.capture("r", 60)
    assert (captured["status"], captured["spent"]) == ("captured", 60)
    # 50 of June and 10 of September are spent.
    assert here.expiring("ann") == [(40, "2026-09-01 00:00")]
    here.capture("r", 20, refused="redemption_not_held")
    assert here.told("ann")[-3:] == [
        ("redemption", -80, "held"),
        ("redemption", -60, "redeemed"),
        ("redemption", 20, "available"),
    ]


def test_a_cancelled_redemption_returns_points_to_their_lots_with_original_expiry(tell: Tell) -> None:
    """Decision 8."""
    here = holder(tell)
    here.hold("ann", "r", 80)
    # What is held still counts among what expires.
    assert here.expiring("ann") == JUNE_AND_SEPTEMBER
    assert here.points("ann") == (20, 0, 80, 0)
    assert here.cancel("r")["status"] == "cancelled"
    assert (here.points("ann"), here.expiring("ann")) == ((100, 0, 0, 0), JUNE_AND_SEPTEMBER)
    here.cancel("r", refused="redemption_not_held")


@pytest.mark.parametrize("sweeps", [True, False], ids=["swept", "not swept"])
def test_a_hold_that_nobody_captures_times_out_at_its_instant_swept_or_not(tell: Tell, sweeps: bool) -> None:
    """Case 6. Decision 8."""
    here = holder(tell, "{hold: 24H}")
    pass_time = here.clock if sweeps else here.drift
    here.clock("2026-03-01 10:00")
    assert here.local(here.hold("ann", "r", 60)["times_out_at"]) == "2026-03-02 10:00"
    pass_time("2026-03-02 09:59:59.999999")
    assert here.points("ann") == (40, 0, 60, 0)
    pass_time("2026-03-02 10:00")
    assert (here.points("ann"), here.expiring("ann")) == ((100, 0, 0, 0), JUNE_AND_SEPTEMBER)
    timed_out = here.redemption("r")
    assert (timed_out["status"], here.local(timed_out["ended_at"])) == ("timed_out", "2026-03-02 10:00")
    here.capture("r", refused="redemption_not_held")


def test_a_capture_in_the_last_microsecond_is_in_time(tell: Tell) -> None:
    """Case 6."""
    here = holder(tell, "{hold: 24H}")
    here.clock("2026-03-01 10:00")
    here.hold("ann", "r", 60)
    here.drift("2026-03-02 09:59:59.999999")
    assert here.capture("r")["status"] == "captured"


def test_a_hold_keeps_its_lots_from_expiring_and_a_capture_still_spends_them(tell: Tell) -> None:
    """Decision 8."""
    here = holder(tell, "{hold: 120D}")
    here.clock("2026-05-01")
    here.hold("ann", "r", 40)
    # Of the 50 of June 10 were not held.
    here.clock("2026-06-15")
    assert here.points("ann") == (50, 0, 40, 0)
    assert here.capture("r")["spent"] == 40
    assert here.points("ann") == (50, 0, 0, 0)


@pytest.mark.parametrize(
    ("grace", "left"),
    [("", [(50, "2026-09-01 00:00")]), (", restore_grace: 7D", [(40, "2026-06-22 08:00"), (50, "2026-09-01 00:00")])],
    ids=["at once", "grace"],
)
def test_cancelled_after_its_expiry_a_lot_expires_at_once_or_lives_on_for_the_grace(
    tell: Tell, grace: str, left: list[tuple[int, str | None]]
) -> None:
    """Decision 8."""
    here = holder(tell, f"{{hold: 120D{grace}}}")
    here.clock("2026-05-01")
    here.hold("ann", "r", 40)
    here.clock("2026-06-15 08:00")
    here.cancel("r")
    assert here.expiring("ann") == left
    if grace:
        # Held and cancelled again, it keeps the end of its grace.
        here.clock("2026-06-16")
        here.hold("ann", "r-2", 40)
        here.cancel("r-2")
        assert here.expiring("ann") == left
        here.clock("2026-06-22 08:00")
        assert here.expiring("ann") == left[1:]
    else:
        assert here.told("ann")[-2:] == [("redemption", 40, "available"), ("expiry", -40, "expired")]


def test_a_refused_redemption_writes_nothing_and_its_id_stays_free(tell: Tell) -> None:
    """Decision 7."""
    here = holder(tell)
    here.redeem("ann", "r", 101, refused="insufficient_points")
    status, answered = here.call("GET", "/v1/redemptions/r")
    assert (status, answered["code"]) == (404, "no_such_redemption")
    here.redeem("ann", "r", 5, wallet="gems", refused="unknown_wallet")
    assert here.redeem("ann", "r", 100)["status"] == "captured"


def test_a_redemption_asked_for_again_is_the_same_one(tell: Tell) -> None:
    """Case 12."""
    here = holder(tell)
    first = here.hold("ann", "r", 60)
    assert here.hold("ann", "r", 60) == first
    assert here.points("ann") == (40, 0, 60, 0)
    body = {"points": 60}
    captures = [here.call("POST", "/v1/redemptions/r/capture", body, key="till-7") for _ in range(2)]
    assert captures[0] == captures[1]
    assert captures[0][0] == 200
    assert here.points("ann") == (40, 0, 0, 0)


# --- at once ---


def test_two_redemptions_race_for_the_last_points_and_one_of_them_wins(tell: Tell) -> None:
    """Case 13."""
    here = tell(mode="live")
    members = [f"m-{n}" for n in range(12)]
    requests: list[tuple[str, Json]] = []
    for member in members:
        here.enrol(member)
        here.adjust(member, 100)
        for side in "ab":
            body = {"id": f"{member}-{side}", "member": member, "wallet": "points", "points": 100, "hold": False}
            requests.append(("/v1/redemptions", body))
    # Each member's two requests go to two processes.
    answers = here.at_once(*requests)
    assert kinds(answers) == {"": 12, "insufficient_points": 12}
    assert [here.points(member) for member in members] == [(0, 0, 0, 0)] * 12
    spent = [entry for member in members for entry in here.told(member) if entry[2] == "redeemed"]
    assert spent == [("redemption", -100, "redeemed")] * 12


def test_a_capture_and_a_cancellation_race_and_one_of_them_wins(tell: Tell) -> None:
    """Case 13."""
    here = tell(mode="live")
    members = [f"m-{n}" for n in range(6)]
    requests: list[tuple[str, Json]] = []
    for member in members:
        here.enrol(member)
        here.adjust(member, 100)
        here.hold(member, member, 100)
        requests += [(f"/v1/redemptions/{member}/{what}", {}) for what in ("capture", "cancel")]
    answers = here.at_once(*requests)
    assert kinds(answers) == {"": 6, "redemption_not_held": 6}
    for member in members:
        left = {"captured": 0, "cancelled": 100}[here.redemption(member)["status"]]
        assert here.points(member) == (left, 0, 0, 0)
