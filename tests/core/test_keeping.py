"""A tier that is kept at its review sets campaigns off, once for each time that it was kept, whoever looks when."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import Accrued, FollowUp, KeptTier, TierSet, decode_facts
from tests.core.harness import Recorded, World, shop

TIERS: list[dict[str, Any]] = [
    {"id": "member"},
    {"id": "silver", "enter": "1000.00", "keep": "800.00"},
    {"id": "gold", "enter": "5000.00", "keep": "4000.00"},
]
KEPT = {"on": "tier_kept", "keeps": "membership.silver", "grant": {"wallet": "points", "fixed": 500}}


def document(kept: dict[str, Any] | None = None, campaigns: Any = None, rewards: Any = None, **words: Any) -> Any:
    membership = {"measure": {"spent": "net"}, "window": "calendar_year", "tiers": TIERS, **words}
    more = {} if rewards is None else {"rewards": rewards}
    chosen = {"kept": KEPT if kept is None else kept} if campaigns is None else campaigns
    return shop(tracks={"membership": membership}, campaigns=chosen, **more)


def world(kept: dict[str, Any] | None = None, campaigns: Any = None, rewards: Any = None, **words: Any) -> World:
    made = World(document(kept, campaigns, rewards, **words), start="2025-01-01")
    made.enrol(at="2026-01-10")
    return made


def told(w: World, campaign: str = "kept") -> list[tuple[str, int]]:
    """When the campaign granted something for a tier that was kept, and how much."""
    found: list[tuple[str, int]] = []
    for each in w.members["m"].recorded:
        if each.activity.type == "tier_kept":
            at = w.text(each.activity.occurred_at)
            assert at is not None
            found.append((at, granted(each, campaign)))
    return found


def granted(each: Recorded, campaign: str) -> int:
    facts = [fact for fact in decode_facts(each.facts) if isinstance(fact, Accrued)]
    return sum(grant.points for fact in facts for grant in fact.grants if grant.campaign == campaign)


def test_a_tier_that_was_kept_by_then_is_kept_at_the_instant_of_the_review_that_would_have_been() -> None:
    w = world()
    w.buy("o-1", "1000.00", at="2026-05-01")
    # 800 keep silver, from 1 January 2028 on for another year.
    assert w.buy("o-2", "800.00", at="2027-05-01").tier_changes == [("silver", "kept")]
    assert (w.until(), told(w), w.look().root.wake_at) == ("2029-01-01 00:00", [], w.instant("2028-01-01"))
    w.clock("2027-12-31 23:59:59.999999")
    assert told(w) == []
    review = w.clock("2028-01-01")
    assert review.tier_changes == [("silver", "renewed")]
    assert [(each.type, each.kept, each.member) for each in review.of(FollowUp)] == [
        ("tier_kept", KeptTier("membership", "silver"), "m")
    ]
    assert (told(w), w.points()[0]) == ([("2028-01-01 00:00", 500)], 2_300)
    assert w.until() == "2029-01-01 00:00"
    # 2028 earns nothing: the next review takes silver away, and says nothing.
    assert w.clock("2029-01-01").tier_changes == [("member", "fell")]
    assert len(told(w)) == 1


def test_a_tier_that_the_review_itself_finds_kept_is_told_as_well() -> None:
    # The keep threshold was lowered after the year had ended short of it; the review is the first to see that.
    w = world(grace="30D")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "700.00", at="2027-05-01")
    easier = [TIERS[0], {**TIERS[1], "keep": "600.00"}, TIERS[2]]
    w.publish(document(grace="30D", tiers=easier), "2028-01-10")
    review = w.clock("2028-01-31")
    assert (review.tier_changes, told(w)) == ([("silver", "kept")], [("2028-01-31 00:00", 500)])
    # Who falls is told nothing, and who has no tier to lose neither.
    w.clock("2031-01-01")
    assert (w.tier(), len(told(w))) == ("member", 1)


def test_with_grace_the_review_is_when_it_would_have_been_judged() -> None:
    w = world(grace="30D")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "800.00", at="2028-01-15")
    w.clock("2028-06-01")
    assert told(w) == [("2028-01-31 00:00", 500)]


def test_who_falls_a_step_keeps_nothing() -> None:
    campaigns = {"any": {"on": "tier_kept", "grant": {"wallet": "points", "fixed": 500}}}
    w = world(campaigns=campaigns, fall="one_step")
    w.buy("o-1", "5000.00", at="2026-05-01")
    assert w.clock("2028-01-01").tier_changes == [("silver", "fell")]
    assert told(w, "any") == []


def test_whoever_is_woken_late_gets_it_as_of_the_review() -> None:
    punctual, late = world(), world()
    for w in (punctual, late):
        w.buy("o-1", "1000.00", at="2026-05-01")
        w.buy("o-2", "800.00", at="2027-05-01")
        w.buy("o-3", "800.00", at="2027-06-01")
    punctual.clock("2028-01-01")
    punctual.buy("o-4", "900.00", at="2028-05-01")
    punctual.clock("2029-01-01")
    punctual.clock("2031-01-01")
    late.buy("o-4", "900.00", at="2028-05-01")
    late.clock("2031-01-01")
    assert told(punctual) == told(late) == [("2028-01-01 00:00", 500), ("2029-01-01 00:00", 500)]
    assert punctual.points() == late.points()


def test_reading_tells_nobody() -> None:
    w = world()
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "800.00", at="2027-05-01")
    assert (w.tier(at="2028-03-01"), told(w)) == ("silver", [])
    w.clock("2028-03-01")
    assert told(w) == [("2028-01-01 00:00", 500)]
    w.clock("2028-03-01")
    assert told(w) == [("2028-01-01 00:00", 500)]


def test_who_rises_before_the_review_keeps_nothing_then_and_the_higher_tier_at_its_own() -> None:
    campaigns = {
        "kept": {**KEPT, "keeps": "membership.gold"},
        "any": {"on": "tier_kept", "grant": {"wallet": "points", "fixed": {"silver": 1, "gold": 3}}},
    }
    w = world(campaigns=campaigns)
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-02-01")
    w.buy("o-3", "4100.00", at="2027-05-01")  # gold until 1 January 2029
    w.clock("2028-06-01")
    assert told(w) == []
    w.buy("o-4", "4000.00", at="2028-07-01")
    w.clock("2029-01-01")
    assert (told(w), told(w, "any")) == ([("2029-01-01 00:00", 500)], [("2029-01-01 00:00", 3)])


def test_a_campaign_on_another_tier_does_not_apply_and_says_why() -> None:
    campaigns = {
        "kept": {**KEPT, "keeps": "membership.gold"},
        "any": {"on": "tier_kept", "when": 'member.tier.membership == "silver"', "grant": KEPT["grant"]},
    }
    w = world(campaigns=campaigns)
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-02-01")
    w.clock("2028-01-01")
    assert (told(w), told(w, "any")) == ([("2028-01-01 00:00", 0)], [("2028-01-01 00:00", 500)])


def test_where_no_campaign_waits_for_the_tier_nothing_is_sent_and_nobody_is_woken() -> None:
    for campaigns in ({}, {"kept": {**KEPT, "keeps": "membership.gold"}}):
        w = world(campaigns=campaigns)
        w.buy("o-1", "1000.00", at="2026-05-01")
        w.buy("o-2", "900.00", at="2027-02-01")
        assert w.look().root.wake_at == w.instant("2029-01-01")
        w.clock("2030-01-01")
        assert told(w) == []


def test_a_tier_in_a_rolling_window_is_kept_once_a_term_however_often_it_is_made_longer() -> None:
    w = world(window={"rolling": "12M"})
    w.buy("o-1", "1000.00", at="2026-05-01")
    for month in range(6, 13):
        w.buy(f"o-{month}", "300.00", at=f"2026-{month:02}-01")
    # Until 1 December 2027 by the last of them; the first term ends a year after it was reached, the second then.
    w.clock("2027-12-01")
    assert told(w) == [("2027-05-01 00:00", 500)]
    assert w.tier() == "member"


@pytest.mark.parametrize(("back", "times"), [("100.00", 1), ("100.01", 0)])
def test_a_return_before_the_review_that_takes_back_what_kept_it_leaves_nothing_to_tell(back: str, times: int) -> None:
    w = world(on_return="fall_back")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-05-01")
    w.give_back("o-2", ("1", back), at="2027-06-01")
    w.clock("2028-01-01")
    assert (len(told(w)), w.tier()) == (times, "silver" if times else "member")


def test_a_return_that_lets_the_tier_stay_lets_it_be_kept() -> None:
    w = world(on_return="stay")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-05-01")
    assert w.give_back("o-2", at="2027-06-01").tier_changes == [("silver", "stayed")]
    w.clock("2028-01-01")
    assert told(w) == [("2028-01-01 00:00", 500)]


def test_a_pass_over_the_tier_hides_its_review_from_nobody() -> None:
    taste = {"gives": {"tier": "membership.gold", "for": "2M"}, "price": {"wallet": "points", "points": 10}}
    for begins in ("2027-11-15", "2027-06-01"):
        w = world(rewards={"taste": taste})
        w.buy("o-1", "1000.00", at="2026-05-01")
        w.buy("o-2", "900.00", at="2027-05-01")
        w.post("m", "redemption", {"redemption": "r", "reward": "taste"}, at=begins)
        assert w.tier() == "gold"
        w.clock("2028-01-01")
        assert told(w) == [("2028-01-01 00:00", 500)]
        w.clock("2028-02-01")
        assert (w.tier(), len(told(w))) == ("silver", 1)


def test_a_renamed_tier_or_track_is_kept_under_its_new_name() -> None:
    tiers = [TIERS[0], {**TIERS[1], "id": "argent", "was": "silver"}, TIERS[2]]
    for track in ("membership", "club"):
        w = world()
        w.buy("o-1", "1000.00", at="2026-05-01")
        w.buy("o-2", "900.00", at="2027-05-01")
        after = document({**KEPT, "keeps": f"{track}.argent"}, tiers=tiers)
        if track == "club":
            after["tracks"] = {"club": {**after["tracks"]["membership"], "was": "membership"}}
        w.publish(after, "2027-06-01")
        w.clock("2028-01-01")
        assert told(w) == [("2028-01-01 00:00", 500)]


def test_a_version_without_the_campaign_or_the_track_tells_nothing_and_waits_for_nothing() -> None:
    for after in (document(campaigns={}), shop()):
        w = world()
        w.buy("o-1", "1000.00", at="2026-05-01")
        w.buy("o-2", "900.00", at="2027-05-01")
        w.publish(after, "2027-06-01")
        w.clock("2028-06-01")
        assert (told(w), w.standing().term_ends_at) == ([], None)


def test_it_is_judged_by_the_version_and_the_tier_of_the_review_though_recorded_later() -> None:
    w = world()
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-05-01")
    w.publish(document({**KEPT, "grant": {"wallet": "points", "fixed": 7}}), "2028-02-01")
    w.clock("2029-06-01")
    assert (told(w), w.tier()) == ([("2028-01-01 00:00", 500)], "member")


def test_every_fact_that_the_tier_was_made_to_hold_longer_by_says_the_same_term() -> None:
    w = world(window={"rolling": "12M"})
    w.buy("o-1", "1000.00", at="2026-05-01")
    terms = [
        [fact.term_ends_at for fact in w.buy(f"o-{month}", "300.00", at=f"2026-{month:02}-01").of(TierSet)]
        for month in range(6, 9)
    ]
    assert terms == [[w.instant("2027-05-01")]] * 3


TASTE: dict[str, Any] = {"price": {"wallet": "points", "points": 10}}
ANY: dict[str, Any] = {"any": {"on": "tier_kept", "grant": {"wallet": "points", "fixed": 500}}}


def test_who_earns_the_tier_of_a_pass_has_not_kept_it_when_the_pass_would_have_ended() -> None:
    taste = {**TASTE, "gives": {"tier": "membership.gold", "for": "2M"}}
    w = world(campaigns=ANY, rewards={"taste": taste})
    w.adjust(10, at="2027-06-01")
    w.post("m", "redemption", {"redemption": "r", "reward": "taste"})
    assert w.buy("o-1", "5000.00", at="2027-07-01").tier_changes == [("gold", "kept")]
    w.clock("2028-12-31")
    assert (w.tier(), told(w, "any")) == ("gold", [])


def test_a_tier_that_was_earned_under_a_pass_has_a_term_of_its_own() -> None:
    tiers = [*TIERS, {"id": "top", "enter": "9000.00"}]
    taste = {**TASTE, "gives": {"tier": "membership.top", "for": "2M"}}
    w = world(campaigns=ANY, rewards={"taste": taste}, tiers=tiers)
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.buy("o-2", "900.00", at="2027-05-01")  # silver until 1 January 2029, its term ends on 1 January 2028
    w.post("m", "redemption", {"redemption": "r", "reward": "taste"}, at="2027-06-01")
    w.buy("o-3", "4100.00", at="2027-07-01")
    assert w.clock("2027-08-01").tier_changes == [("gold", "earned")]
    w.clock("2028-12-31")
    assert (w.tier(), told(w, "any")) == ("gold", [])


def test_a_return_that_takes_one_of_several_years_back_leaves_the_term() -> None:
    w = world(on_return="fall_back", holds_until={"windows": 2})
    w.buy("o-1", "1000.00", at="2026-05-01")  # until 1 January 2029
    w.buy("o-2", "900.00", at="2027-05-01")  # until 2030
    w.buy("o-3", "900.00", at="2028-05-01")  # until 2031
    assert w.give_back("o-3", at="2028-06-01").tier_changes == [("silver", "fell_back")]
    assert w.until() == "2030-01-01 00:00"
    w.clock("2029-06-01")
    assert told(w) == [("2029-01-01 00:00", 500)]
