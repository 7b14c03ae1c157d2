"""What the words of a document mean: every form of each of them, resolved to the values that `decide` reads."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.calendar import Duration, Period, parse_instant
from laurels.core.money import Currency, Rate, Rounding
from laurels.core.program.document import parse
from laurels.core.program.finding import Notes
from laurels.core.program.grammar import Entries, Form, FormOf, Said
from laurels.core.program.loading import ProgramForm, examine
from laurels.core.program.model import (
    After,
    Base,
    Bracket,
    Brackets,
    Budget,
    ByTier,
    Campaign,
    Cooldown,
    During,
    Fixed,
    Group,
    HoldsUntil,
    Inactive,
    MemberLimit,
    Metric,
    Multiply,
    Never,
    OnDates,
    Pending,
    PerAmount,
    PerField,
    PerQuantity,
    PointsAsMoney,
    Retired,
    Slot,
    Tier,
    Track,
    Wallet,
    Window,
)
from laurels.core.program.offers import GIVES
from laurels.core.rule.environment import Field
from tests.core.program.documents import CORNER_CAFE, DOCUMENTS, EVERY_WORD, GROCERY, MINIMAL, sound

ALL_PARTS = frozenset(("shipping", "fee", "gift_card", "paid_with_points", "paid_with_gift_card", "paid_with_voucher"))


def wallet(name: str) -> Wallet:
    return next(each for each in sound(EVERY_WORD).wallets if each.id == name)


def track(name: str) -> Track:
    return next(each for each in sound(EVERY_WORD).tracks if each.id == name)


def campaign(name: str) -> Campaign:
    return next(each for each in sound(EVERY_WORD).campaigns if each.id == name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_load_without_any_finding(name: str) -> None:
    assert examine(DOCUMENTS[name]).findings == ()


def test_the_corner_cafe_is_what_its_comments_say() -> None:
    cafe = sound(CORNER_CAFE)
    assert (cafe.id, cafe.name, cafe.time_zone) == (
        "corner_cafe",
        {"en": "Corner Café", "zh-CN": "街角咖啡"},
        "Asia/Shanghai",
    )
    assert cafe.currency == Currency("CNY", 2)
    assert cafe.late_horizon == Duration(days=90)
    assert cafe.fields == {
        "member": (Field("favourite_drink", "string", optional=True), Field("birthday_month", "int", optional=True)),
        "custom.recycled": (Field("kilograms", "decimal", optional=True),),
    }
    points, growth = cafe.wallets
    assert points == Wallet(
        id="points",
        name={"en": "Points", "zh-CN": "积分"},
        pending=Pending(Duration(days=7)),
        expires=After(Duration(months=12), Period.MONTH),
        when_spent="debt",
        debt_limit=500,
        freeze=True,
        restore_grace=Duration(days=7),
        hold=Duration(days=1),
        money=PointsAsMoney(points=100, worth=100, minimum=500, multiple=100, largest_share=Rate(1, 2)),
    )
    assert growth == Wallet(id="growth", name={"en": "Growth", "zh-CN": "成长值"}, spendable=False, expires=Never())
    assert cafe.tracks == (
        Track(
            id="membership",
            name={"en": "membership"},
            metrics=(Metric("earned", "growth"),),
            window=Window("year"),
            holds_until=HoldsUntil(1, Duration(months=1)),
            fall="to_earned",
            grace=Duration(days=30),
            on_return="stay",
            tiers=(
                Tier("member", {"en": "Member", "zh-CN": "普通会员"}),
                Tier("silver", {"en": "Silver", "zh-CN": "银卡"}, (1000,), (800,), {"points": Rate(5, 4)}),
                Tier(
                    "gold",
                    {"en": "Gold", "zh-CN": "金卡"},
                    (5000,),
                    (4000,),
                    {"points": Rate(3, 2)},
                    {"points": Never()},
                ),
            ),
        ),
    )
    base, beans, welcome, big_basket = cafe.campaigns
    assert base.grants == (
        PerAmount("points", ByTier(Rate(1, 1)), per=100, base=Base("net", ALL_PARTS), round=Rounding.DOWN),
    )
    assert beans.during == During(
        parse_instant("2026-03-01T00:00:00+08:00"),
        parse_instant("2026-04-01T00:00:00+08:00"),
        (Slot(frozenset(("tue", "thu")), 14 * 3600, 17 * 3600),),
    )
    assert beans.when is not None
    assert beans.when.reads == {"purchase.total", "member.tier.membership"}
    assert beans.order_condition
    assert beans.lines is not None
    assert beans.grants == (Multiply("points", "base", ByTier(Rate(2, 1))),)
    assert beans.limits == (
        MemberLimit(Period.DAY, "points", 200, "trim"),
        Budget("points", 100_000, "refuse"),
        Cooldown(Duration(microseconds=3_600_000_000)),
    )
    assert (welcome.on, welcome.grants) == ("enrol", (Fixed("points", ByTier(Rate(100, 1))),))
    assert big_basket.order_condition
    assert cafe.groups == (Group("specials", "best", ("beans", "big_basket")),)


def test_every_word_of_every_form_is_in_the_document_that_says_so() -> None:
    seen: set[tuple[type[Form], str]] = set()
    forms: set[type[Form]] = set()

    def walk(value: object) -> None:
        match value:
            case Form():
                forms.add(type(value))
                seen.update((type(value), word) for word in value.said)
                for said in value.said.values():
                    walk(said.value)
            case Entries():
                for entry in value:
                    walk(entry.value)
            case tuple():
                for each in value:
                    walk(each.value if isinstance(each, Said) else each)

    notes = Notes()
    root = parse(EVERY_WORD, notes)
    assert root is not None
    walk(FormOf(ProgramForm).read(root, notes))
    known = {form for word in ProgramForm.words.values() for form in word.kind.forms()} | set(GIVES.forms())
    assert known <= forms
    assert {(form, word) for form in forms for word in form.words} == seen


def test_a_plain_name_is_english_and_no_name_is_the_id() -> None:
    program = sound(EVERY_WORD)
    assert program.name == {"en": "Every word, in each of its forms"}
    assert wallet("points").name == {"en": "Points", "de": "Punkte", "zh-Hans-CN": "积分"}
    assert wallet("growth").name == {"en": "growth"}


def test_fields_are_optional_unless_required_and_have_typed_defaults() -> None:
    assert sound(EVERY_WORD).fields == {
        "member": (
            Field("city", "string", optional=True),
            Field("children", "int", optional=True, default=0),
            Field("vip", "bool", optional=True, default=False),
            Field("birthday", "date", optional=True),
            Field("since", "timestamp", optional=True),
            Field("interests", "list<string>", optional=True),
            Field("hobbies", "list<string>", optional=True),
            Field("income", "money", optional=True, default=Decimal("1000.50")),
        ),
        "purchase": (Field("table", "int", optional=True),),
        "line": (
            Field("organic", "bool", optional=True),
            Field("weight", "decimal", optional=True, default=Decimal("0.5")),
            Field("cost", "money", optional=True),
        ),
        "custom.stay": (Field("nights", "int"), Field("rate", "decimal")),
        "custom.delivered": (),
        "review": (Field("stars", "int", optional=True),),
    }


def test_wallets_in_all_their_forms() -> None:
    points = wallet("points")
    assert points.pending == Pending(Duration(days=30), until="custom.delivered")
    assert points.expires == OnDates(((6, 30), (12, 31)), Duration(months=6))
    assert (points.when_spent, points.debt_limit, points.freeze) == ("debt", None, False)
    assert points.hold == Duration(microseconds=12 * 3_600_000_000)
    assert points.money == PointsAsMoney(200, 100, 400, 200, Rate(1, 8))
    assert points.was == "coins"
    assert (wallet("growth").pending, wallet("growth").expires) == (None, Never())
    assert wallet("stars").expires == Inactive(Duration(months=6), frozenset(("earn", "purchase")))
    assert wallet("stars").when_spent == "pending_only"
    assert wallet("miles").expires == Inactive(Duration(months=24), frozenset(("earn", "spend")))
    assert (wallet("stamps").expires, wallet("stamps").debt_limit) == (After(Duration(months=12)), 50)
    assert wallet("beans").expires == After(Duration(days=90), Period.QUARTER)
    assert wallet("leaves").expires == OnDates(((3, 31),))


def test_thresholds_are_in_the_units_of_their_measures() -> None:
    assert track("membership").metrics == (Metric("earned", "growth", include_pending=True),)
    assert track("nights").metrics == (Metric("sum", "custom.stay", "nights"),)
    assert track("nights").tiers[1].enter == (2_500_000,)  # millionths
    assert (track("spenders").metrics, track("spenders").tiers[1].enter) == ((Metric("spent"),), (9_950,))  # cents
    assert (track("regulars").metrics, track("regulars").tiers[1].enter) == ((Metric("count", "purchase"),), (10,))
    both, either = track("both"), track("either")
    assert (both.need, both.tiers[1].enter, both.tiers[1].keep) == ("all", (10, 500), (10, 100))
    assert (either.need, either.tiers[1].enter) == ("any", (3, 10_000_000, 0))
    assert track("seasoned").metrics == (Metric("years", "membership", "gold"), Metric("years", "spenders", "high"))
    assert track("seasoned").tiers[1].enter == (5, 1)


def test_a_tier_that_does_not_say_keep_is_kept_with_what_it_took_to_enter_it() -> None:
    member, silver, gold = track("membership").tiers
    assert (member.enter, member.keep) == ((), ())
    assert (silver.enter, silver.keep) == ((100,), (80,))
    assert (gold.enter, gold.keep) == ((500,), (500,))


def test_a_tier_entitles_to_what_the_tiers_below_it_do_and_may_say_it_otherwise() -> None:
    member, silver, gold = track("membership").tiers
    assert member.benefits == {}
    assert silver.benefits == {
        "lounge": {"en": "Lounge"},
        "breakfast": {"en": "Breakfast for one", "zh-CN": "单人早餐"},
    }
    assert gold.benefits == {
        "lounge": {"en": "Lounge"},
        "breakfast": {"en": "Breakfast for two", "zh-CN": "双人早餐"},
        "late_checkout": {"en": "Late check-out"},
    }


def test_tiers_multiply_and_override_expiry_by_wallet() -> None:
    silver = track("membership").tiers[1]
    assert silver.multiply == {"points": Rate(5, 4), "stars": Rate(2, 1)}
    assert silver.expires == {
        "points": Never(),
        "miles": Inactive(Duration(months=36), frozenset(("earn", "spend"))),
    }
    assert silver.was == "bronze"


def test_windows_and_validity_in_all_their_forms() -> None:
    windows = {each.id: (each.window, each.holds_until) for each in sound(EVERY_WORD).tracks}
    assert windows == {
        "membership": (Window("year", 3, 1), HoldsUntil(0, Duration(months=1))),
        "nights": (Window("anniversary"), HoldsUntil(3)),
        "spenders": (Window("rolling", length=Duration(months=12)), HoldsUntil(0)),
        "regulars": (Window("lifetime"), HoldsUntil(1)),
        "both": (Window("year"), HoldsUntil(1)),
        "either": (Window("year"), HoldsUntil(1)),
        "seasoned": (Window("lifetime"), HoldsUntil(1)),
    }


def test_grants_in_all_their_forms() -> None:
    by_tier = ByTier(None, "membership", {"member": Rate(1, 1), "silver": Rate(6, 5), "gold": Rate(6, 5)})
    parts = frozenset(("shipping", "paid_with_points"))
    assert campaign("base").grants == (
        PerAmount("points", by_tier, 100, Base("net_of_tax", parts), Rounding.HALF_UP),
        PerAmount("growth", ByTier(Rate(1, 2)), 200, Base("gross", frozenset())),
    )
    assert campaign("stays").grants == (
        PerField("points", "nights", ByTier(Rate(5, 1)), 1_000_000, Rounding.HALF_EVEN),
    )
    assert campaign("rates").grants == (PerField("points", "rate", ByTier(Rate(5, 1)), 1_000_000),)
    assert campaign("pieces").grants == (PerQuantity("points", ByTier(Rate(5, 1)), Rounding.UP),)
    assert campaign("rising").grants == (
        Brackets(
            "points",
            (Bracket(0, Rate(1, 1)), Bracket(10_000, Rate(2, 1))),
            per=100,
            base=Base("net", frozenset(("fee",))),
        ),
    )
    assert campaign("steps").grants == (Brackets("points", (Bracket(1_000, fixed=5), Bracket(2_000, fixed=20))),)


def test_a_tier_that_is_not_named_has_the_number_of_the_nearest_named_one_below_it() -> None:
    # membership has member < silver < gold, and only silver is named; spenders has low < high, and only low is.
    assert campaign("double").grants == (
        Multiply("points", "base", ByTier(None, "membership", {"silver": Rate(2, 1), "gold": Rate(2, 1)})),
    )
    assert campaign("hello").grants == (
        Fixed("points", ByTier(None, "spenders", {"low": Rate(10, 1), "high": Rate(10, 1)})),
    )


def test_a_campaign_runs_from_the_first_instant_of_its_first_day_to_the_last_of_its_last() -> None:
    during = campaign("double").during
    assert during.start == parse_instant("2026-03-01T10:00:00+01:00")
    # 31 March is included; summer time began on the 29th.
    assert during.end == parse_instant("2026-04-01T00:00:00+02:00")
    assert during.weekly == (
        Slot(frozenset(("mon", "sat")), 8 * 3600, 24 * 3600),
        Slot(frozenset(("sun",)), 0, 24 * 3600),
    )
    assert campaign("hello").during.weekly == (Slot(frozenset(("fri",))),)


def test_limits_in_all_their_forms() -> None:
    assert campaign("double").limits == (
        MemberLimit(Period.QUARTER, "points", 200, "refuse"),
        MemberLimit("lifetime", "times", 5),
        MemberLimit("campaign", "times", 3),
        Budget("times", 100, "trim"),
        Budget("points", 1000),
        Cooldown(Duration(microseconds=3_600_000_000)),
    )


def test_groups_nest_and_retired_things_have_heirs() -> None:
    program = sound(EVERY_WORD)
    assert program.groups == (
        Group("specials", "best", ("double", "pieces"), 1, "offers"),
        Group("outer", "exclusive", ("specials", "rising")),
        Group("rest", "first", ("steps",)),
        Group("open", "all", ("hello",)),
        Group("deals", "best", ("spring", "every_second")),
    )
    assert program.retired == Retired({"pennies": "points"}, {"membership.platinum": "gold"})


def test_the_minimal_program_is_about_ten_lines_long() -> None:
    assert len([line for line in MINIMAL.splitlines() if line and not line.startswith("#")]) <= 10
    assert sound(MINIMAL).campaigns[0].grants == (PerAmount("points", ByTier(Rate(1, 1)), 100),)


def test_the_grocery_program_has_what_it_promises() -> None:
    grocery = sound(GROCERY)
    points = grocery.wallets[0]
    assert (points.pending, points.expires) == (
        Pending(Duration(days=7)),
        After(Duration(months=12), Period.MONTH),
    )
    (membership,) = grocery.tracks
    assert [tier.multiply for tier in membership.tiers] == [{}, {"points": Rate(5, 4)}, {"points": Rate(3, 2)}]
    campaigns = {each.id: each for each in grocery.campaigns}
    assert list(campaigns) == [
        "base", "fresh_produce", "double_wednesday", "big_basket", "welcome", "thanksgiving_tickets", "daily_spin",
    ]  # fmt: skip
    assert [(draw.id, draw.kind) for draw in grocery.draws] == [("thanksgiving", "scheduled"), ("wheel", "instant")]
    assert campaigns["base"].lines is not None
    assert '"FUEL"' in campaigns["base"].lines.text
    assert campaigns["big_basket"].order_condition
    assert campaigns["fresh_produce"].limits[0] == MemberLimit(Period.MONTH, "points", 60)
    names = [grocery.name, points.name, membership.name]
    names += [tier.name for tier in membership.tiers] + [campaign.name for campaign in grocery.campaigns]
    assert all(set(name) == {"en", "zh-CN"} for name in names)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(DOCUMENTS)), st.randoms(use_true_random=False))
def test_a_document_with_parts_cut_out_or_swapped_gives_findings_and_never_an_exception(
    name: str, chance: random.Random
) -> None:
    text = DOCUMENTS[name]
    for _ in range(chance.randint(1, 4)):
        words = text.split(" ")
        at, other = chance.randrange(len(words)), chance.randrange(len(words))
        words[at] = chance.choice(["", words[other], words[at][:-1], "-1", "[]", "{}", "1000000000000", '""', "null"])
        text = " ".join(words)
    examined = examine(text)
    assert examined.program is not None or any(each.severity == "error" for each in examined.findings)
    lines = text.split("\n")
    for finding in examined.findings:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
