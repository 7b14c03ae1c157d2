"""Transfers: lots keep their age and expiry, both journals tell the story, and what cannot arrive comes back."""

from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell


def two(tell: Tell, points: str = "{}") -> Story:
    """Ann has 30 points until June and 50 until September; bob has none."""
    here = tell(shop(points))
    here.enrol("ann", at="2026-03-01")
    here.enrol("bob")
    here.adjust("ann", 30, expires="2026-06-01", at="2026-03-01")
    here.adjust("ann", 50, expires="2026-09-01", at="2026-03-02")
    return here


def test_a_transfer_keeps_each_lots_age_and_expiry_and_both_journals_tell_the_story(tell: Tell) -> None:
    """Case 14."""
    here = two(tell)
    sent = here.transfer("ann", "bob", 60, at="2026-03-05")
    assert sent.json["follow_ups"] == [{"member": "bob", "status": "accepted", "refusal": None, "compensated": False}]
    # 30 of June and 30 of the 50 of September.
    assert here.expiring("ann") == [(20, "2026-09-01 00:00")]
    assert here.expiring("bob") == [(30, "2026-06-01 00:00"), (30, "2026-09-01 00:00")]
    assert here.told("ann")[-1] == ("transfer", -60, "sent")
    assert here.told("bob") == [("transfer", 30, "available"), ("transfer", 30, "available")]
    left = here.journal("ann")[0]
    assert (left["out_of"], left["into"], left["reason"]) == ("available", "in_transit", "sent")
    assert [(lot["points"], here.local(lot["earned_at"])) for lot in left["lots"]] == [
        (30, "2026-03-01 00:00"),
        (30, "2026-03-02 00:00"),
    ]
    arrived = here.journal("bob")
    assert {(each["out_of"], each["into"], each["reason"]) for each in arrived} == {
        ("in_transit", "available", "received")
    }
    # From their expiry on, bob cannot spend them either.
    here.drift("2026-06-01")
    here.redeem("bob", "r", 31, refused="insufficient_points")
    here.redeem("bob", "r", 30)


def test_points_that_cannot_arrive_come_back_to_their_lots(tell: Tell) -> None:
    """Case 14."""
    here = two(tell)
    before = here.expiring("ann")
    sent = here.transfer("ann", "nobody", 60, at="2026-03-05")
    (follow_up,) = sent.json["follow_ups"]
    assert (follow_up["status"], follow_up["refusal"]["code"], follow_up["compensated"]) == (
        "refused",
        "unknown_member",
        True,
    )
    assert (here.points("ann"), here.expiring("ann")) == ((80, 0, 0, 0), before)
    assert here.told("ann")[2:] == [("transfer", -60, "sent"), ("transfer", 60, "available")]
    assert here.get("/v1/members?query=nobody")["items"] == []


def test_a_transfer_that_is_refused_writes_nothing(tell: Tell) -> None:
    """Case 14. Decision 7."""
    here = two(tell, "{pending: 7D}")
    here.transfer("ann", "bob", 81, refused="insufficient_points")
    here.transfer("ann", "ann", 1, refused="same_member")
    here.buy("ann", "o", "10.00")
    # Pending points cannot be sent.
    here.transfer("ann", "bob", 81, refused="insufficient_points")
    assert here.told("bob") == []


def test_received_points_repay_debt_first(tell: Tell) -> None:
    """Case 14. Decision 5."""
    here = two(tell, "{when_spent: {debt: unlimited, freeze: true}}")
    here.buy("bob", "o", "50.00")
    here.redeem("bob", "r", 50)
    here.give_back("bob", "o")
    here.transfer("bob", "ann", 1, refused="frozen_by_debt")
    here.transfer("ann", "bob", 80)
    # 80 arrive and repay the 50 that are owed: 30.
    assert (here.points("ann"), here.points("bob")) == ((0, 0, 0, 0), (30, 0, 0, 0))


def test_a_transfer_sent_again_moves_nothing_twice(tell: Tell) -> None:
    """Case 12. Case 14."""
    here = two(tell)
    sent = here.activity("ann", "transfer", {"to": "bob", "wallet": "points", "points": 60}, id="t-1")
    answers = [here.batch(sent)[0] for _ in range(3)]
    assert [each.status for each in answers] == ["accepted", "replayed", "replayed"]
    assert [each.json["follow_ups"] for each in answers] == [answers[0].json["follow_ups"]] * 3
    assert (here.points("ann"), here.points("bob")) == ((20, 0, 0, 0), (60, 0, 0, 0))


def test_members_who_send_each_other_everything_at_once_lose_and_gain_nothing(tell: Tell) -> None:
    """Case 13. Case 14."""
    here = tell(mode="live")
    here.enrol("ann")
    here.enrol("bob")
    here.adjust("ann", 100)
    here.adjust("bob", 100)
    requests = []
    for n in range(10):
        for member, to in (("ann", "bob"), ("bob", "ann")):
            data = {"to": to, "wallet": "points", "points": 10 + n}
            requests.append(("/v1/activities", here.activity(member, "transfer", data)))
    answers = here.at_once(*requests)
    assert {answer["status"] for _status, answer in answers} <= {"accepted", "refused"}
    ann, bob = here.points("ann")[0], here.points("bob")[0]
    assert ann + bob == 200
    moved = {"ann": 0, "bob": 0}
    for _status, answer in answers:
        if answer["status"] == "accepted":
            moved[answer["member"]] += sum(-entry["points"] for entry in answer["entries"] if entry["state"] == "sent")
    assert ann == 100 - moved["ann"] + moved["bob"]
