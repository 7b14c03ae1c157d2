"""What a new version changes is named, in the words of the document, and what it takes from members is flagged."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.money import Rate
from laurels.core.program.change import Between, Change, Earners, Everyone, Holders, Standing
from laurels.core.program.difference import difference
from laurels.core.program.generosity import grants_less
from laurels.core.program.model import Bracket, Brackets, Program
from tests.core.program.documents import CORNER_CAFE, DOCUMENTS, EVERY_WORD, GROCERY, sound

HIGHER = Standing("membership", ("silver", "gold"))


def changes(text: str, before: str, after: str) -> tuple[Change, ...]:
    """What changes when one part of a document is written otherwise."""
    assert text.count(before) == 1, before
    return difference(sound(text), sound(text.replace(before, after)))


SILVER, GOLD = Standing("membership", ("silver",)), Standing("membership", ("gold",))
POINTS_HOLDERS = Holders("points")
BASE, BEANS = Earners(("base",)), Earners(("beans",))
SPECIALS = Earners(("beans", "big_basket"))

EVERYONE = Everyone()

# By path and whom it concerns: what is written, and what takes something away when it is written instead.
ONE_WAY = [
    # wallets
    (CORNER_CAFE, "/wallets/points/pending", Everyone(), [("pending: 7D ", "pending: 14D ")]),
    (CORNER_CAFE, "/wallets/points/expires", POINTS_HOLDERS, [("after: 12M, round", "after: 11M, round")]),
    (CORNER_CAFE, "/wallets/points/expires", POINTS_HOLDERS, [("after: 12M, round: month", "after: 12M")]),
    (CORNER_CAFE, "/wallets/growth/expires", Holders("growth"), [("expires: never}", "expires: {after: 90Y}}")]),
    (EVERY_WORD, "/wallets/stars/expires", Holders("stars"), [("[earn, purchase]", "[earn]")]),
    (EVERY_WORD, "/wallets/stars/expires", Holders("stars"), [("{inactive_for: 6M,", "{inactive_for: 5M,")]),
    (
        EVERY_WORD,
        "/wallets/stars/expires",
        Holders("stars"),
        [("{inactive_for: 6M, kept_by: [earn, purchase]}", "{after: 6M}")],
    ),
    (EVERY_WORD, "/wallets/leaves/expires", Holders("leaves"), [('on: "03-31"', 'on: ["03-31", "09-30"]')]),
    (
        CORNER_CAFE,
        "/wallets/points/when_spent",
        Everyone(),
        [("debt: 500", "debt: 501"), ("debt: 500", "debt: unlimited")],
    ),
    (
        EVERY_WORD,
        "/wallets/points/when_spent",
        Everyone(),
        [("{debt: unlimited, freeze: false}", "{debt: unlimited, freeze: true}")],
    ),
    (EVERY_WORD, "/wallets/stars/when_spent", Everyone(), [("pending_only", "within_balance")]),
    (CORNER_CAFE, "/wallets/points/restore_grace", POINTS_HOLDERS, [("restore_grace: 7D ", "restore_grace: 6D ")]),
    (
        CORNER_CAFE,
        "/wallets/points/money",
        POINTS_HOLDERS,
        [
            ("points: 100, worth", "points: 101, worth"),
            ("minimum: 500", "minimum: 600"),
            ("multiple: 100", "multiple: 500"),
            ("largest_share: 50%", "largest_share: 49%"),
        ],
    ),
    # tracks
    (CORNER_CAFE, "/tracks/membership/holds_until", HIGHER, [("plus: 1M", "plus: 30D"), ("next_win", "this_win")]),
    (EVERY_WORD, "/tracks/membership/fall", HIGHER, [("fall: one_step", "fall: to_earned")]),
    (CORNER_CAFE, "/tracks/membership/grace", HIGHER, [("    grace: 30D", "    grace: 10D")]),
    (CORNER_CAFE, "/tracks/membership/on_return", HIGHER, [("on_return: stay", "on_return: fall_back")]),
    (EVERY_WORD, "/tracks/membership/measure", HIGHER, [("pending: counts", "pending: waits")]),
    (EVERY_WORD, "/tracks/spenders/window", Standing("spenders", ("high",)), [("{rolling: 12M}", "{rolling: 6M}")]),
    (EVERY_WORD, "/tracks/either/measure", Standing("either", ("second",)), [("{any: [{count", "{all: [{count")]),
    (
        CORNER_CAFE,
        "/tracks/membership/tiers/2/enter",
        Between("membership", "gold", "enter", (5000,), (6000,)),
        [("enter: 5000", "enter: 6000")],
    ),
    (
        CORNER_CAFE,
        "/tracks/membership/tiers/1/keep",
        Between("membership", "silver", "keep", (800,), (900,)),
        [("keep: 800", "keep: 900")],
    ),
    (CORNER_CAFE, "/tracks/membership/tiers/2/multiply", GOLD, [("{points: 1.5}", "{points: 1.4}")]),
    (CORNER_CAFE, "/tracks/membership/tiers/1/multiply", SILVER, [("{points: 1.25}", "{}")]),
    (CORNER_CAFE, "/tracks/membership/tiers/2/expires", GOLD, [("{points: never}", "{points: {after: 24M}}")]),
    # campaigns
    (
        CORNER_CAFE,
        "/campaigns/base/grant",
        BASE,
        [
            ('points: 1, per: "1.00"', 'points: 1, per: "1.10"'),
            ('points: 1, per: "1.00"', 'points: 9, per: "10.00"'),
            ("of: net, round", "of: net_of_tax, round"),
        ],
    ),
    (
        EVERY_WORD,
        "/campaigns/base/grant",
        BASE,
        [("but: []", "but: [fee]"), ("silver: 1.2}", "silver: 1.2, gold: 1.1}")],
    ),
    (EVERY_WORD, "/campaigns/stays/grant", Earners(("stays",)), [("round: half_even", "round: down")]),
    (EVERY_WORD, "/campaigns/pieces/grant", Earners(("pieces",)), [("per_quantity: 5", "per_quantity: 4.5")]),
    (EVERY_WORD, "/campaigns/double/grant", Earners(("double",)), [("membership.silver: 2", "membership.gold: 2")]),
    (EVERY_WORD, "/campaigns/steps/grant", Earners(("steps",)), [("{from: 20, fixed", "{from: 21, fixed")]),
    (EVERY_WORD, "/campaigns/rising/grant", Earners(("rising",)), [("points: 2}]", "points: 1.5}]")]),
    (
        EVERY_WORD,
        "/campaigns/newcomer/within",
        Earners(("newcomer",)),
        [("{after_enrolment: 3M}", "{after_enrolment: 2M}")],
    ),
    (
        EVERY_WORD,
        "/campaigns/birthday/within",
        Earners(("birthday",)),
        [("before: 3D", "before: 2D"), ("after: 1W", "after: 6D"), (", after: 1W", "")],
    ),
    (EVERY_WORD, "/campaigns/hello/grant", Earners(("hello",)), [("{spenders.low: 10}", "{spenders.low: 9}")]),
    (
        CORNER_CAFE,
        "/campaigns/beans/limits",
        BEANS,
        [
            ("points: 200, over: trim", "points: 100, over: trim"),
            ("points: 200, over: trim", "points: 200, over: refuse"),
            ("of: 100000", "of: 99999"),
            ("cooldown: 1H", "cooldown: 2H"),
        ],
    ),
    (
        CORNER_CAFE,
        "/campaigns/beans/during",
        BEANS,
        [
            ("until: 2026-03-31", "until: 2026-03-30"),
            ("from: 2026-03-01", "from: 2026-03-02"),
            ("days: [tue, thu]", "days: [tue]"),
            ('until: "17:00"', 'until: "16:00"'),
        ],
    ),
    # groups
    (
        CORNER_CAFE,
        "/groups/specials/mode",
        SPECIALS,
        [("mode: best", "mode: first"), ("mode: best", "mode: exclusive")],
    ),
    (
        CORNER_CAFE,
        "/groups/specials/of",
        Earners(("beans", "big_basket", "base")),
        [("[beans, big_basket]", "[beans, big_basket, base]")],
    ),
    # promotions
    (
        EVERY_WORD,
        "/promotions/spring/gives",
        EVERYONE,
        [("percent: 20%, most", "percent: 19%, most"), ("most: 50", "most: 49")],
    ),
    (EVERY_WORD, "/promotions/spring/floor", EVERYONE, [("share: 50%", "share: 60%")]),
    (EVERY_WORD, "/promotions/spring/stores", EVERYONE, [("stores: [s-1, s-2]", "stores: [s-1]")]),
    (
        EVERY_WORD,
        "/promotions/spring/limits",
        EVERYONE,
        [('of: "1000.00"', 'of: "999.99"'), ('money: "20.00"', 'money: "19.00"')],
    ),
    (EVERY_WORD, "/promotions/flat/gives", EVERYONE, [("{off: 5}", "{off: 4}")]),
    (EVERY_WORD, "/promotions/rungs/gives", EVERYONE, [("{spend: 100, off: 10}", "{spend: 110, off: 10}")]),
    (EVERY_WORD, "/promotions/club_price/gives", EVERYONE, [('price: "1.99"', 'price: "2.09"')]),
    (EVERY_WORD, "/promotions/triple/gives", EVERYONE, [("{multiply: points, by: 3}", "{multiply: points, by: 2}")]),
    (
        EVERY_WORD,
        "/promotions/trial/gives",
        EVERYONE,
        [("{wallet: points, points: 50,", "{wallet: points, points: 49,")],
    ),
    (EVERY_WORD, "/quote_hold", EVERYONE, [("quote_hold: 15MIN", "quote_hold: 10MIN")]),
]


@pytest.mark.parametrize(
    ("text", "path", "concerns", "before", "after"),
    [(text, path, concerns, *words) for text, path, concerns, each in ONE_WAY for words in each],
    ids=[f"{path} {words[1]}" for _, path, _, each in ONE_WAY for words in each],
)
def test_less_is_taken_from_those_it_concerns_and_more_is_taken_from_nobody(
    text: str, path: str, concerns: object, before: str, after: str
) -> None:
    (taken,) = changes(text, before, after)
    assert (taken.kind, taken.path, taken.takes_away, taken.concerns) == ("changed", path, True, concerns)
    (given,) = difference(sound(text.replace(before, after)), sound(text))
    assert (given.kind, given.path, given.takes_away, given.concerns) == ("changed", path, False, None)
    assert (given.before, given.after) == (taken.after, taken.before)


BOTH_WAYS = [
    (EVERY_WORD, "{until: custom.delivered, at_most: 30D}", "7D", "/wallets/points/pending"),
    (EVERY_WORD, "{spenders.low: 10}", "{spenders.low: 9, high: 20}", "/campaigns/hello/grant"),
    (CORNER_CAFE, "measure: {earned: growth}", "measure: {count: purchase}", "/tracks/membership/measure"),
    (CORNER_CAFE, "window: calendar_year ", "window: anniversary ", "/tracks/membership/window"),
    (CORNER_CAFE, "purchase.total >= 300.00", "purchase.total >= 200.00", "/campaigns/big_basket/when"),
    (CORNER_CAFE, '== "beans"', '== "coffee"', "/campaigns/beans/lines"),
    (CORNER_CAFE, "days: [tue, thu]", "days: [mon, tue]", "/campaigns/beans/during"),
    (CORNER_CAFE, "welcome: {on: enrol", "welcome: {on: check_in", "/campaigns/welcome/on"),
    (EVERY_WORD, 'on: "03-31"', 'on: "09-30"', "/wallets/leaves/expires"),
    (GROCERY, "currency: USD", "currency: EUR", "/currency"),
]


@pytest.mark.parametrize(("text", "before", "after", "path"), BOTH_WAYS, ids=[case[3] for case in BOTH_WAYS])
def test_what_cannot_be_put_in_an_order_counts_as_taken_both_ways(
    text: str, before: str, after: str, path: str
) -> None:
    for old, new in ((text, text.replace(before, after)), (text.replace(before, after), text)):
        assert {(each.path, each.takes_away) for each in difference(sound(old), sound(new))} == {(path, True)}


NEITHER_WAY = [
    (CORNER_CAFE, "en: Corner Café", "en: Café at the corner", "/name"),
    (CORNER_CAFE, "time_zone: Asia/Shanghai", "time_zone: Asia/Hong_Kong", "/time_zone"),
    (CORNER_CAFE, "en: Silver", "en: Argent", "/tracks/membership/tiers/1/name"),
    (EVERY_WORD, "late_horizon: 30D", "late_horizon: 60D", "/late_horizon"),
    (EVERY_WORD, "hold: 12H", "hold: 13H", "/wallets/points/hold"),
    (EVERY_WORD, "priority: 10", "priority: 11", "/campaigns/base/priority"),
    (EVERY_WORD, "city: string", "city: int", "/fields/member/city/type"),
]


@pytest.mark.parametrize(("text", "before", "after", "path"), NEITHER_WAY, ids=[case[3] for case in NEITHER_WAY])
def test_what_gives_nobody_less_takes_nothing_away(text: str, before: str, after: str, path: str) -> None:
    for old, new in ((text, text.replace(before, after)), (text.replace(before, after), text)):
        assert [(each.path, each.takes_away) for each in difference(sound(old), sound(new))] == [(path, False)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_program_differs_in_nothing_from_itself_however_it_is_laid_out(name: str) -> None:
    program = sound(DOCUMENTS[name])
    spaced = sound(DOCUMENTS[name].replace("\n", "\n\n").replace(": ", ":  "))
    assert difference(program, program) == difference(program, spaced) == ()


def test_a_wallet_that_goes_needs_to_say_where_its_holders_go() -> None:
    line = "  growth: {name: {en: Growth, zh-CN: 成长值}, spendable: false, expires: never}\n"
    without = CORNER_CAFE.replace(line, "").replace("earned: growth", "earned: points")
    old = sound(CORNER_CAFE)
    gone, _ = difference(old, sound(without))
    assert (gone.kind, gone.path) == ("removed", "/wallets/growth")
    assert (gone.takes_away, gone.needs_mapping, gone.concerns) == (True, True, Holders("growth"))
    mapped, _ = difference(old, sound(without + "retired: {wallets: {growth: points}}\n"))
    assert (mapped.takes_away, mapped.needs_mapping, mapped.after) == (False, False, "points")


def test_points_that_move_to_a_wallet_that_cannot_be_spent_are_taken_away() -> None:
    old = sound(EVERY_WORD)
    new = EVERY_WORD.replace("  beans: {expires: {after: 90D, round: quarter}}\n", "")
    (change,) = difference(old, sound(new.replace("{pennies: points}", "{beans: growth}")))
    assert (change.takes_away, change.needs_mapping, change.concerns) == (True, False, Holders("beans"))


def test_a_tier_that_goes_needs_to_say_on_which_tier_its_members_stand() -> None:
    start = CORNER_CAFE.index("      - {id: gold")
    without = CORNER_CAFE[:start] + CORNER_CAFE[CORNER_CAFE.index("campaigns:") :]
    without = without.replace(', "gold"]', "]")
    gone = difference(sound(CORNER_CAFE), sound(without))[0]
    assert (gone.kind, gone.path) == ("removed", "/tracks/membership/tiers/2")
    assert (gone.takes_away, gone.needs_mapping, gone.concerns) == (True, True, Standing("membership", ("gold",)))
    retired = without + "retired: {tiers: {membership.gold: silver}}\n"
    mapped = difference(sound(CORNER_CAFE), sound(retired))[0]
    assert (mapped.takes_away, mapped.needs_mapping, mapped.after) == (True, False, "silver")


def test_a_tier_whose_members_move_up_takes_nothing_from_them() -> None:
    silver = next(line for line in CORNER_CAFE.splitlines(keepends=True) if "id: silver" in line)
    text = CORNER_CAFE.replace(silver, "").replace('["silver", "gold"]', '["gold"]')
    mapped = difference(sound(CORNER_CAFE), sound(text + "retired: {tiers: {membership.silver: gold}}\n"))[0]
    assert (mapped.path, mapped.takes_away, mapped.after) == ("/tracks/membership/tiers/1", False, "gold")


def test_a_benefit_that_goes_or_is_said_otherwise_is_taken_from_every_tier_that_had_it() -> None:
    both = [Standing("membership", ("silver",)), Standing("membership", ("gold",))]
    gone = changes(EVERY_WORD, "{lounge: Lounge, ", "{")
    assert [(each.kind, each.path, each.before) for each in gone] == [
        ("removed", f"/tracks/membership/tiers/{place}/benefits", "lounge") for place in (1, 2)
    ]
    assert [each.concerns for each in gone] == both
    assert gone[0].texts["zh-CN"] == "等级「silver」：取消权益 lounge。"
    said_otherwise = changes(EVERY_WORD, "Lounge, ", "Lounge on weekdays, ")
    assert [(each.kind, each.path) for each in said_otherwise] == [
        ("changed", f"/tracks/membership/tiers/{place}/benefits/lounge") for place in (1, 2)
    ]
    assert [each.concerns for each in said_otherwise] == both
    # Where a tier says its own, what changes below it is not taken from it.
    (below,) = changes(EVERY_WORD, "Breakfast for one", "Coffee")
    assert (below.path, below.concerns) == ("/tracks/membership/tiers/1/benefits/breakfast", both[0])
    (new,) = changes(EVERY_WORD, "late_checkout: Late check-out", "late_checkout: Late check-out, spa: Spa")
    assert (new.kind, new.after, new.takes_away) == ("added", "spa", False)


def test_years_of_another_tier_are_another_measure_and_those_of_a_renamed_one_are_not() -> None:
    (change,) = changes(EVERY_WORD, "years: membership.gold", "years: membership.silver")
    assert (change.path, change.takes_away) == ("/tracks/seasoned/measure", True)
    assert (change.before, change.after) == (
        "{all: [{years: membership.gold}, {years: spenders.high}]}",
        "{all: [{years: membership.silver}, {years: spenders.high}]}",
    )
    head = "program: p\ntime_zone: UTC\ncurrency: EUR\nwallets: {w: {}}\ntracks:\n"
    life = "  life: {measure: {years: %s}, window: lifetime, tiers: [{id: none}, {id: some, enter: 5}]}\n"
    club = "  club: {measure: {spent: net}, tiers: [{id: base}, {id: gold, enter: 100}]}\n"
    renamed = "  house: {was: club, measure: {spent: net}, tiers: [{id: base}, {id: top, was: gold, enter: 100}]}\n"
    before, after = sound(head + club + life % "club.gold"), sound(head + renamed + life % "house.top")
    assert {each.path for each in difference(before, after)}.isdisjoint({"/tracks/life", "/tracks/life/measure"})


def test_a_track_a_campaign_a_limit_and_a_grant_that_go_take_something_away_or_give_it() -> None:
    old = sound(EVERY_WORD)
    line = next(line for line in EVERY_WORD.splitlines(keepends=True) if line.startswith("  nights:"))
    (track,) = difference(old, sound(EVERY_WORD.replace(line, "")))
    assert (track.path, track.concerns, track.needs_mapping) == ("/tracks/nights", Standing("nights", ("top",)), False)
    (campaign,) = changes(CORNER_CAFE, "  welcome: {on: enrol, grant: {wallet: points, fixed: 100}}\n", "")
    assert (campaign.path, campaign.concerns) == ("/campaigns/welcome", Earners(("welcome",)))
    (limit,) = changes(CORNER_CAFE, "      - {per: member, cooldown: 1H}\n", "")
    assert (limit.kind, limit.path, limit.takes_away) == ("removed", "/campaigns/beans/limits", False)
    (grant,) = changes(EVERY_WORD, "      - {wallet: growth, points: 0.5, per: 2, of: gross, but: []}\n", "")
    assert (grant.kind, grant.path, grant.concerns) == ("removed", "/campaigns/base/grant", Earners(("base",)))


def test_new_things_take_nothing_away_but_new_limits_conditions_and_groups_do() -> None:
    def reverse(text: str, before: str, after: str) -> tuple[Change, ...]:
        return difference(sound(text.replace(before, after)), sound(text))

    (campaign,) = reverse(CORNER_CAFE, "  welcome: {on: enrol, grant: {wallet: points, fixed: 100}}\n", "")
    assert (campaign.kind, campaign.takes_away) == ("added", False)
    (limit,) = reverse(CORNER_CAFE, "      - {per: member, cooldown: 1H}\n", "")
    assert (limit.kind, limit.concerns) == ("added", Earners(("beans",)))
    (condition,) = reverse(CORNER_CAFE, "when: purchase.total >= 300.00, ", "")
    assert (condition.before, condition.takes_away) == ("always", True)
    (group,) = reverse(CORNER_CAFE, CORNER_CAFE[CORNER_CAFE.index("groups:") :], "")
    assert (group.kind, group.concerns) == ("added", Earners(("beans", "big_basket")))
    assert [each.takes_away for each in changes(CORNER_CAFE, CORNER_CAFE[CORNER_CAFE.index("groups:") :], "")] == [
        False
    ]


def test_another_order_of_tiers_concerns_all_who_stand_on_them() -> None:
    tiers = "tiers: [{id: a}, {id: b, enter: 5}, {id: c, enter: 9}]"
    head = "program: p\ntime_zone: UTC\ncurrency: EUR\nwallets: {w: {}}\n"
    text = f"{head}tracks: {{t: {{measure: {{earned: w}}, {tiers}}}}}"
    swapped = text.replace("id: b", "id: x").replace("id: c", "id: b").replace("id: x", "id: c")
    order = difference(sound(text), sound(swapped))[0]
    assert (order.path, order.before, order.after) == ("/tracks/t/tiers", "[a, b, c]", "[a, c, b]")
    assert order.concerns == Standing("t", ("a", "b", "c"))


def test_a_renamed_thing_is_compared_with_itself_and_concerns_speak_of_its_old_name() -> None:
    renamed = (
        CORNER_CAFE.replace("  points:\n", "  coins:\n    was: points\n")
        .replace("wallet: points", "wallet: coins")
        .replace("multiply: {points:", "multiply: {coins:")
        .replace("expires: {points:", "expires: {coins:")
        .replace("  membership:\n", "  club:\n    was: membership\n")
        .replace("tier.membership", "tier.club")
        .replace("{id: gold,", "{id: golden, was: gold,")
        .replace('"gold"', '"golden"')
        .replace("  base:\n", "  standard:\n    was: base\n")
        .replace("multiply: base", "multiply: standard")
        .replace("specials: {", "offers: {was: specials, ")
    )
    found = difference(sound(CORNER_CAFE), sound(renamed))
    assert [(each.kind, each.path, each.before, each.after) for each in found if each.kind == "renamed"] == [
        ("renamed", "/wallets/coins", "points", "coins"),
        ("renamed", "/tracks/club", "membership", "club"),
        ("renamed", "/tracks/club/tiers/2", "gold", "golden"),
        ("renamed", "/campaigns/standard", "base", "standard"),
        ("renamed", "/groups/offers", "specials", "offers"),
    ]
    # What has no name is called by its id. A condition is compared as written, also where it names a tier.
    assert [each.path for each in found if each.kind != "renamed"] == ["/tracks/club/name", "/campaigns/beans/when"]

    lowered = renamed.replace("multiply: {coins: 1.5}", "multiply: {coins: 1.4}").replace("after: 12M", "after: 6M")
    taken = {each.path: each.concerns for each in difference(sound(CORNER_CAFE), sound(lowered)) if each.takes_away}
    assert taken["/wallets/coins/expires"] == Holders("points")
    assert taken["/tracks/club/tiers/2/multiply"] == Standing("membership", ("gold",))


def test_a_rename_that_an_earlier_version_made_is_not_made_again() -> None:
    renamed = (
        CORNER_CAFE.replace("  growth:", "  status:")
        .replace("growth", "status")
        .replace("{name: {en: Growth", "{was: growth, name: {en: Growth")
    )
    assert [each.kind for each in difference(sound(CORNER_CAFE), sound(renamed))] == ["renamed"]
    assert difference(sound(renamed), sound(renamed)) == ()


def test_thresholds_in_another_unit_are_shown_each_in_its_own() -> None:
    found = {each.path: each for each in changes(CORNER_CAFE, "measure: {earned: growth}", "measure: {spent: net}")}
    entering = found["/tracks/membership/tiers/1/enter"]
    assert (entering.before, entering.after, entering.takes_away) == ("1000", '"1000.00"', False)
    assert found["/tracks/membership/measure"].takes_away


def test_changes_are_told_in_english_and_chinese() -> None:
    (expiry,) = changes(CORNER_CAFE, "after: 12M, round: month", "after: 6M")
    assert expiry.texts == {
        "en": 'Wallet "Points": expiry changes from {after: 1Y, round: month} to {after: 6M}.',
        "zh-CN": "钱包「积分」：有效期由 {after: 1Y, round: month} 改为 {after: 6M}。",
    }
    (multiplier,) = changes(CORNER_CAFE, "multiply: {points: 1.5}", "multiply: {points: 1.4}")
    assert multiplier.texts == {
        "en": 'Tier "Gold" (Wallet "Points"): multiplier changes from 1.5 to 1.4.',
        "zh-CN": "等级「金卡」（钱包「积分」）：积分倍率由 1.5 改为 1.4。",
    }


def test_every_change_is_told_in_both_languages_and_travels_as_json() -> None:
    found = difference(sound(EVERY_WORD), sound(GROCERY)) + difference(sound(GROCERY), sound(EVERY_WORD))
    assert len(found) > 40
    for change in found:
        assert set(change.texts) == {"en", "zh-CN"}
        assert "None" not in "".join(change.texts.values())
        assert (change.concerns is not None) == change.takes_away
    assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[Change, ...]) == found


POINTS = st.integers(0, 50).map(lambda points: Rate(points, 1))


@st.composite
def bracket_grants(draw: st.DrawFn) -> Brackets:
    starts = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=4)))
    return Brackets("w", tuple(Bracket(start, draw(POINTS)) for start in starts), per=draw(st.integers(1, 3)))


def points(grant: Brackets, amount: int) -> float | int:
    """By definition: every unit of money earns at the rate of the bracket it is in. Scaled to be whole."""
    total = 0
    for unit in range(amount):
        rates = [bracket.points for bracket in grant.brackets if bracket.start <= unit and bracket.points is not None]
        total += (rates[-1].numerator if rates else 0) * 6 // grant.per
    return total


@settings(max_examples=200, deadline=None)
@given(bracket_grants(), bracket_grants())
def test_brackets_give_less_exactly_where_some_amount_earns_less(before: Brackets, after: Brackets) -> None:
    # Rates are at most 50 and starts at most 20, so that who is behind in the end is behind by 20 * 50 * 3 at 4,000.
    amounts = [*range(25), 4_000]
    assert grants_less(before, after) == any(points(after, each) < points(before, each) for each in amounts)


def test_a_version_may_be_compared_with_any_other() -> None:
    programs: list[Program] = [sound(text) for text in DOCUMENTS.values()]
    for old in programs:
        for new in programs:
            assert (difference(old, new) == ()) == (old == new)


@pytest.mark.parametrize(
    ("grant", "concerns"),
    [
        ("{tickets: spring}", Everyone()),
        ("{voucher: ten}", Everyone()),
        ("{wallet: points, fixed: 5}", Earners(("gift",))),
        ("[{tickets: spring}, {voucher: ten}, {wallet: points, fixed: 5}]", Earners(("gift",))),
    ],
)
def test_what_no_journal_tells_is_said_to_concern_everybody(grant: str, concerns: Earners | Everyone) -> None:
    text = f"""
program: cafe
time_zone: Asia/Shanghai
currency: CNY
jurisdiction: none
wallets: {{points: {{}}}}
vouchers: {{ten: {{gives: {{off: "10.00"}}}}}}
draws: {{spring: {{opens: 2026-03-01, closes: 2026-03-31, draws_at: 2026-04-02, prizes: {{car: {{quantity: 1}}}}}}}}
campaigns:
  base: {{on: purchase, grant: {{wallet: points, points: 1, per: "1.00"}}}}
  gift: {{on: purchase, grant: {grant}}}
"""
    gone = text.replace(f"  gift: {{on: purchase, grant: {grant}}}\n", "")
    changed = text.replace("  gift: {on: purchase,", "  gift: {on: purchase, when: purchase.total >= 9.00,")
    for after in (gone, changed):
        (change,) = difference(sound(text), sound(after))
        assert (change.takes_away, change.concerns) == (True, concerns)
