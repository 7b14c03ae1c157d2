"""Renamed and retired things: points, limits and budgets are carried over to what takes their place (law 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings

from laurels.core.facts import WalletCarried
from tests.core.harness import Answer, World, all_of, shop
from tests.core.histories import SEEDS, Story, history_of, program_of

RATE = {"on": "purchase", "grant": {"wallet": "stars", "points": 1, "per": "1.00"}}


def document(wallet: str, words: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """A shop whose one wallet is called so."""
    base = {"on": "purchase", "grant": {"wallet": wallet, "points": 1, "per": "1.00"}}
    return {
        "program": "shop", "time_zone": "Asia/Shanghai", "currency": "CNY", "wallets": {wallet: words or {}},
        "campaigns": {"base": base}, **parts,
    }  # fmt: skip


def renamed(words: dict[str, Any] | None = None, at: str = "2026-06-01", **parts: Any) -> World:
    """A world in which `stars` are called `points` from June on, with a member."""
    w = World(document("stars", words, **parts))
    w.enrol()
    w.publish(document("points", {**(words or {}), "was": "stars"}, **parts), at)
    return w


def sums(w: World, member: str = "m") -> dict[str, Counter[str]]:
    """Balances of all accounts by wallet, as the journal has them."""
    found: dict[str, Counter[str]] = {}
    for entry in all_of(w, member):
        accounts = found.setdefault(entry.wallet, Counter())
        accounts[entry.out_of] -= entry.points
        accounts[entry.into] += entry.points
    return found


def test_points_of_a_renamed_wallet_are_spendable_under_the_new_name_with_their_lots() -> None:
    w = renamed({"expires": {"after": "6M"}, "pending": "7D"})
    w.buy("o1", "100.00", at="2026-03-01")
    w.buy("o2", "50.00", at="2026-05-28")
    assert w.points("stars", at="2026-05-31 23:59:59") == (100, 50, 0, 0)
    # Nobody looks at the member until July: it was so from the version's first instant on.
    (fact,) = w.clock("2026-07-01").of(WalletCarried)
    assert (fact.wallet, fact.into, w.text(fact.at)) == ("stars", "points", "2026-06-01 00:00")
    # The pending ones have activated meanwhile, on 4 June, under the new name.
    assert w.expiries("points") == [(100, "2026-09-08 00:00"), (50, "2026-12-04 00:00")]
    assert w.redeem("r1", 120, wallet="stars").code == "unknown_wallet"
    assert w.redeem("r2", 120).refusal is None
    assert w.points() == (30, 0, 0, 0)
    assert "stars" not in w.look().root.wallets
    w.replay()


def test_the_journals_of_both_wallets_tell_that_points_were_carried_over_and_sum_to_zero() -> None:
    w = renamed({"pending": {"until": "custom.delivered", "at_most": "180D"}}, fields={"custom.delivered": {}})
    w.adjust(100, wallet="stars", at="2026-03-01")
    w.buy("o", "50.00")
    w.clock("2026-05-01")
    carried = w.clock("2026-06-01")
    told = [(e.wallet, e.points, e.out_of, e.into, e.kind, e.reason) for e in carried.entries]
    assert told == [
        ("stars", 50, "pending", "adjustment", "adjustment", "carried_over"),
        ("points", 50, "adjustment", "pending", "adjustment", "carried_over"),
        ("stars", 100, "available", "adjustment", "adjustment", "carried_over"),
        ("points", 100, "adjustment", "available", "adjustment", "carried_over"),
    ]
    found = sums(w)
    # 100 given by a person, 50 granted: all of it has left the one wallet for the other.
    assert {account: points for account, points in found["stars"].items() if points} == {
        "issuance": -50,
        "adjustment": 50,
    }
    assert sum(found["stars"].values()) == sum(found["points"].values()) == 0


def test_what_is_held_of_a_renamed_wallet_is_captured_or_given_back_under_the_new_name() -> None:
    w = renamed({"expires": {"after": "6M"}, "hold": "90D"})
    w.buy("o", "100.00", at="2026-05-01")
    for n in range(3):
        w.redeem(f"r{n}", 20, wallet="stars", hold=True)
    w.clock("2026-06-10")
    assert w.points() == (40, 0, 60, 0)
    assert w.capture("r0", 5).moved("held", "redemption") == 5
    w.cancel("r1")
    # The third hold times out by itself.
    assert w.points(at="2026-08-01") == (95, 0, 0, 0)
    assert w.expiries(at="2026-08-01") == [(95, "2026-11-01 00:00")]


def test_debt_goes_along_and_is_paid_by_what_is_available_there() -> None:
    words: dict[str, Any] = {"when_spent": {"debt": "unlimited"}}
    both: dict[str, Any] = {"wallets": {"stars": words, "points": {}}, "campaigns": {"base": RATE}}
    w = World(document("stars", **both))
    w.enrol()
    w.buy("o1", "50.00", at="2026-03-01")
    w.redeem("r", 50, wallet="stars")
    w.give_back("o1")
    w.adjust(30, wallet="points")
    assert (w.points("stars"), w.points("points")) == ((0, 0, 0, 50), (30, 0, 0, 0))
    w.publish(document("points", words, retired={"wallets": {"stars": "points"}}), "2026-06-01")
    # 30 of the 50 are paid at once, the rest by later earning.
    assert w.points(at="2026-06-01") == (0, 0, 0, 20)
    w.buy("o2", "25.00", at="2026-06-02")
    assert w.points() == (5, 0, 0, 0)
    w.replay()


def test_a_retired_wallets_lots_join_those_of_its_heir_in_the_order_of_consumption() -> None:
    both = {"stars": {"expires": {"after": "6M"}}, "points": {"expires": {"after": "3M"}}}
    w = World(document("stars", wallets=both))
    w.enrol()
    w.adjust(10, wallet="stars", at="2026-03-01")
    w.adjust(20, wallet="points", at="2026-05-15")
    w.adjust(40, wallet="stars", at="2026-05-20")
    heir = document("points", both["points"], retired={"wallets": {"stars": "points"}})
    w.publish(heir, "2026-06-01")
    assert w.expiries(at="2026-06-01") == [(20, "2026-08-15 00:00"), (10, "2026-09-01 00:00"), (40, "2026-11-20 00:00")]
    assert w.balance(at="2026-06-01").available == 70


def test_a_wallet_is_carried_over_through_several_versions() -> None:
    w = renamed()
    w.buy("o", "10.00", at="2026-03-01")
    w.publish(document("coins", {"was": "points"}), "2026-07-01")
    w.publish(document("coins", {"was": "points"}), "2026-08-01")
    assert w.points("points", at="2026-06-30") == (10, 0, 0, 0)
    assert w.points("coins", at="2026-09-01") == (10, 0, 0, 0)
    # What arrives late is earned as it was called then, and goes all the way.
    w.buy("late", "5.00", at="2026-09-01", occurred="2026-05-20")
    assert w.points("coins") == (15, 0, 0, 0)
    assert set(w.look().root.wallets) == {"coins"}
    w.replay()


def test_a_return_takes_back_what_a_renamed_wallet_earned_and_lowers_the_tier_measured_by_it() -> None:
    def tracks(wallet: str) -> dict[str, Any]:
        tiers = [{"id": "member"}, {"id": "silver", "enter": 100}]
        return {"membership": {"measure": {"earned": wallet}, "on_return": "fall_back", "tiers": tiers}}

    w = World(document("stars", tracks=tracks("stars")))
    w.enrol()
    w.publish(document("points", {"was": "stars"}, tracks=tracks("points")), "2026-06-01")
    w.buy("o1", "90.00", "10.00", at="2026-05-01")
    # A late activity counts, though it earned what was called otherwise then.
    w.buy("o2", "5.00", at="2026-06-02", occurred="2026-05-02")
    assert (w.tier(), w.outlook().values) == ("silver", (105,))
    returned = w.give_back("o1", "2", at="2026-06-10")
    assert returned.moved("available", "issuance") == 10
    assert w.points() == (95, 0, 0, 0)
    assert returned.tier_changes == [("member", "fell_back")]
    assert w.outlook().values == (95,)
    w.give_back("o1", at="2026-06-11")
    assert w.points() == (5, 0, 0, 0)


def test_points_that_paid_under_the_old_name_are_given_back_under_the_new_one() -> None:
    words = {"expires": {"after": "6M"}, "money": {"points": 1, "worth": "1.00"}}
    w = renamed(words)
    w.adjust(100, wallet="stars", at="2026-05-01")
    w.redeem("r1", 30, wallet="stars")
    w.buy("o1", "30.00", tenders=[{"kind": "points", "amount": "30.00", "redemption": "r1"}])
    w.give_back("o1", at="2026-06-10")
    assert w.expiries() == [(100, "2026-11-01 00:00")]


def test_points_that_were_redeemed_under_the_old_name_pay_what_they_are_worth_and_no_more() -> None:
    w = renamed({"money": {"points": 1, "worth": "1.00"}})
    w.adjust(100, wallet="stars", at="2026-05-01")
    w.redeem("captured", 10, wallet="stars")
    w.redeem("held", 10, wallet="stars", hold=True, at="2026-05-31 23:00")

    def pay(redemption: str, amount: str, **when: str) -> str:
        tender = {"kind": "points", "amount": amount, "redemption": redemption}
        return w.buy(f"{redemption}-{amount}", amount, tenders=[tender], **when).code

    assert pay("captured", "11.00", at="2026-06-01 12:00") == "points_tender_mismatch"
    assert pay("captured", "10.00") == "accepted"
    # The order occurred under the old version, and the points are held under the new one.
    assert pay("held", "11.00", occurred="2026-05-31 23:30") == "points_tender_mismatch"
    assert pay("held", "10.00", occurred="2026-05-31 23:30") == "accepted"


def test_expired_points_of_a_renamed_wallet_are_reinstated_in_the_new_one() -> None:
    w = renamed({"expires": {"after": "1M"}})
    lot = w.buy("o", "10.00", at="2026-03-01").entries[0].lot
    w.clock("2026-05-01")
    body = {"wallet": "points", "lots": [lot], "expires_at": None, "reason": "sorry"}
    assert w.post("m", "reinstatement", body, at="2026-06-10").moved("breakage", "available") == 10
    assert w.points() == (10, 0, 0, 0)


def test_points_on_their_way_when_their_wallet_is_renamed_arrive_under_the_new_name() -> None:
    w = renamed()
    w.enrol("n")
    sent = {"counterpart": "n", "wallet": "stars", "lots": [["9.0", 10, 0, None]]}
    arrived = w.post("m", "transfer_in", sent, at="2026-06-02", source="laurels")
    # In transit they are what they were called when they left.
    assert [(e.wallet, e.out_of, e.into) for e in arrived.entries] == [
        ("stars", "in_transit", "available"),
        ("stars", "available", "adjustment"),
        ("points", "adjustment", "available"),
    ]
    back = w.post("m", "transfer_back", {**sent, "counterpart": "m"}, source="laurels")
    assert back.refusal is None
    assert w.points() == (20, 0, 0, 0)


def test_a_lot_of_which_part_was_on_its_way_is_whole_again_under_the_new_name() -> None:
    w = renamed()
    w.buy("o", "10.00", at="2026-03-01")
    (lot,) = w.lots("stars")
    w.redeem("r", 4, wallet="stars")
    w.clock("2026-06-02")
    part = [lot.lot, 4, lot.earned_at, None]
    w.post("m", "transfer_back", {"counterpart": "m", "wallet": "stars", "lots": [part]}, source="laurels")
    assert w.expiries() == [(10, None)]


def test_a_sliding_wallets_instant_goes_along() -> None:
    words = {"expires": {"inactive_for": "6M", "kept_by": ["check_in"]}, "hold": "9M"}
    w = renamed(words)
    w.buy("o", "10.00", at="2026-01-10")
    w.redeem("r", 4, wallet="stars", hold=True, at="2026-01-11")
    assert w.points(at="2026-07-09 23:59") == (6, 0, 4, 0)
    w.clock("2026-07-10")
    assert w.points() == (0, 0, 4, 0)
    assert w.cancel("r", at="2026-07-11").moved("available", "breakage") == 4
    # What lapsed before the version did so for good.
    v = renamed(words)
    v.buy("o", "10.00", at="2026-01-10", occurred="2025-11-20")
    v.redeem("r", 4, wallet="stars", hold=True, at="2026-01-11")
    v.clock("2026-06-02")
    assert v.cancel("r", at="2026-06-03").moved("available", "breakage") == 4


def test_points_of_a_sliding_wallet_that_is_retired_keep_the_instant_and_take_nothing_with_them() -> None:
    both = {"stars": {"expires": {"inactive_for": "6M"}}, "points": {}}
    w = World(document("stars", wallets=both))
    w.enrol()
    w.adjust(10, wallet="stars", at="2026-03-01")
    w.adjust(20, wallet="points")
    w.publish(document("points", {}, retired={"wallets": {"stars": "points"}}), "2026-06-01")
    assert w.expiries(at="2026-06-01") == [(10, "2026-09-01 00:00"), (20, None)]
    assert w.points(at="2026-09-01") == (20, 0, 0, 0)


def test_points_that_come_into_a_sliding_wallet_start_its_clock() -> None:
    both = {"stars": {}, "points": {"expires": {"inactive_for": "6M"}}}
    w = World(document("stars", wallets=both))
    w.enrol()
    w.adjust(10, wallet="stars", at="2026-03-01")
    w.publish(document("points", both["points"], retired={"wallets": {"stars": "points"}}), "2026-06-01")
    assert w.points(at="2026-11-30 23:59") == (10, 0, 0, 0)
    assert w.points(at="2026-12-01") == (0, 0, 0, 0)


def test_conditions_of_an_older_version_read_the_wallet_by_its_former_name() -> None:
    def rich(wallet: str) -> dict[str, Any]:
        when = f"member.wallets.{wallet}.available >= 100"
        return {"campaigns": {"rich": {"on": "purchase", "when": when, "grant": {"wallet": wallet, "fixed": 5}}}}

    w = World(document("stars", **rich("stars")))
    w.enrol()
    w.publish(document("points", {"was": "stars"}, **rich("points")), "2026-06-01")
    w.adjust(100, wallet="stars", at="2026-05-01")
    assert w.buy("o1", "1.00", at="2026-06-02").granted("rich") == 5
    assert w.buy("o2", "1.00", at="2026-06-02", occurred="2026-05-20").granted("rich") == 5
    assert w.points() == (110, 0, 0, 0)


def test_a_wallet_of_which_no_version_says_where_it_goes_keeps_its_points() -> None:
    w = World(document("stars"))
    w.enrol()
    w.buy("o", "10.00", at="2026-03-01")
    w.publish(document("points"), "2026-06-01")
    w.clock("2026-07-01")
    assert (w.points("stars"), w.points("points")) == ((10, 0, 0, 0), (0, 0, 0, 0))


# --- campaigns ---


def limited(campaign: str, *limits: dict[str, Any], was: str | None = None) -> dict[str, Any]:
    words: dict[str, Any] = {"on": "purchase", "grant": {"wallet": "points", "fixed": 10}, "limits": list(limits)}
    return {**shop(), "campaigns": {campaign: words if was is None else {**words, "was": was}}}


def test_limits_budgets_and_cooldowns_of_a_renamed_campaign_go_on() -> None:
    for limit, code in (
        ({"per": "member", "every": "lifetime", "points": 15}, "trimmed"),
        ({"per": "member", "every": "year", "times": 1}, "limit_reached"),
        ({"budget": "points", "of": 15}, "trimmed"),
        ({"per": "member", "cooldown": "90D"}, "cooldown"),
    ):
        w = World(limited("old", limit))
        w.enrol()
        w.publish(limited("new", limit, was="old"), "2026-06-01")
        w.publish(limited("newest", limit, was="new"), "2026-06-15")
        # The words of the first renaming may go once they have been said.
        w.publish(limited("newest", limit), "2026-06-20")
        assert w.buy("o1", "1.00", at="2026-05-20").granted("old") == 10
        bought = w.buy("o2", "1.00", at="2026-07-01")
        assert bought.why("newest")[0] == code
        # And a return gives back to the same limit: what a year's one time was used for is free again.
        w.give_back("o1")
        assert w.buy("o3", "1.00").why("newest")[0] in ("applied", "trimmed", "cooldown")


def test_a_campaign_that_only_looks_like_a_former_one_starts_anew() -> None:
    limit = {"per": "member", "every": "lifetime", "points": 10}
    w = World(limited("old", limit))
    w.enrol()
    w.publish(limited("new", limit), "2026-06-01")
    assert w.buy("o1", "1.00", at="2026-05-20").granted("old") == 10
    assert w.buy("o2", "1.00", at="2026-07-01").granted("new") == 10


# --- a name is but a name ---


def in_other_words(document: dict[str, Any]) -> dict[str, Any]:
    """The same program with its wallet `points` called `coins` and its campaign `base` called `basic`."""

    def told(value: Any, key: str = "") -> Any:
        if isinstance(value, list):
            return [told(each, key) for each in value]
        if isinstance(value, dict):
            renames = {"points": "coins"} if key in ("wallets", "expires", "multiply") else {}
            renames |= {"base": "basic"} if key == "campaigns" else {}
            return {renames.get(name, name): told(each, name) for name, each in value.items()}
        if (key, value) in (("wallet", "points"), ("earned", "points")):
            return "coins"
        if (key, value) in (("multiply", "base"), ("of", "base")):
            return "basic"
        return value.replace("wallets.points.", "wallets.coins.") if key == "when" else value

    new: dict[str, Any] = told(document)
    new["wallets"]["coins"]["was"] = "points"
    if "base" in document["campaigns"]:
        new["campaigns"]["basic"]["was"] = "base"
    return new


class Renaming(World):
    """A world whose wallet gets its other name after a while; people say the name of the day."""

    renamed_at = 0

    def post(self, member: str, type: str, data: Mapping[str, Any] | None = None, **words: Any) -> Answer:
        if self.now >= self.renamed_at and data is not None and data.get("wallet") == "points":
            data = {**data, "wallet": "coins"} if words.get("source") != "laurels" else data
        return super().post(member, type, data, **words)

    def _today(self, wallet: str) -> str:
        return "coins" if wallet == "points" and self.now >= self.renamed_at else wallet

    def balance(self, wallet: str = "points", member: str = "m", at: Any = None) -> Any:
        return super().balance(self._today(wallet), member, at)

    def lots(self, wallet: str = "points", member: str = "m", at: Any = None) -> Any:
        return super().lots(self._today(wallet), member, at)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(SEEDS)
def test_another_name_makes_no_difference(seed: int) -> None:
    chance = Random(seed)
    document = program_of(chance)
    plain, other = Story(document), Story(document, world=Renaming)
    assert isinstance(other.world, Renaming)
    steps = history_of(chance, 20)
    other.world.renamed_at = plain.world.now + sum(step.after for step in steps[: chance.randint(1, 15)])
    other.world._add(in_other_words(document), other.world.renamed_at)
    # The same program once more, so that both have a version that takes effect then.
    plain.world._add(document, other.world.renamed_at)
    for step in steps:
        assert plain.take(step).code == other.take(step).code, step
    if other.world.now < other.world.renamed_at:
        return
    for member in ("m", "n"):
        for w in (plain.world, other.world):
            w.clock(w.now, member)
        before, after = plain.world.look(member).root, other.world.look(member).root
        assert "points" not in after.wallets
        assert plain.world.points(member=member) == other.world.points(member=member)
        assert plain.world.lots(member=member) == other.world.lots("coins", member=member)
        assert before.tracks == after.tracks
        assert (before.limits, before.cooldowns) == (after.limits, after.cooldowns)
        other.world.replay(member)
    assert plain.world.pools == other.world.pools
