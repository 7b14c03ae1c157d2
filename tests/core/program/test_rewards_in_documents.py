"""Rewards in documents: what they say by default, and what a new version of them takes from members."""

import pytest

from laurels.core.calendar import Duration
from laurels.core.program.change import Everyone, Holders
from laurels.core.program.difference import difference
from laurels.core.program.rewards_model import USUAL, Effect, Reward
from tests.core.program.documents import EVERY_WORD, sound

HEAD = 'program: p\ntime_zone: UTC\ncurrency: EUR\nwallets: {w: {}, card: {money: {points: 1, worth: "0.01"}}}\n'


def reward(words: str) -> Reward:
    (found,) = sound(f"{HEAD}rewards: {{r: {{price: {{wallet: w, points: 5}}, {words}}}}}").rewards
    return found


def test_what_is_sent_is_held_for_a_month_and_what_is_not_is_given_at_once() -> None:
    mug = reward("gives: goods")
    assert (mug.hold, mug.fulfilment) == (Duration(days=30), dict(USUAL))
    card = reward('gives: {gift_card: card, amount: "5.00"}')
    assert (card.hold, card.fulfilment, card.kind) == (None, None, "gift_card")
    assert reward("gives: service, hold: none").hold is None


def test_a_state_of_the_fulfilment_does_what_is_said_and_otherwise_what_is_usual() -> None:
    mug = reward("gives: goods, fulfilment: {packed: {points: capture}, returned: {stock: give_back}}")
    assert mug.fulfilment == {**USUAL, "packed": Effect("capture"), "returned": Effect("give_back", "give_back")}


def test_an_amount_of_a_gift_card_is_whole_points_of_its_wallet() -> None:
    assert (
        reward('gives: {cashback: card, amount: "5.25"}').gives
        == reward('gives: {cashback: card, amount: "5.25"}').gives
    )
    assert getattr(reward('gives: {gift_card: card, amount: "5.25"}').gives, "points", None) == 525


LESS = [
    ("/rewards/mug/gives", "gives: goods", "gives: service"),
    ("/rewards/mug/price", "points: {membership.silver: 500}", "points: {membership.silver: 501}"),
    ("/rewards/mug/price", "points: {membership.silver: 500}", "points: {membership.gold: 500}"),
    ("/rewards/mug/prices", "points: 2.5", "points: 2.6"),
    ("/rewards/mug/prices", "round: half_up, when", "round: up, when"),
    ("/rewards/mug/mix", "least: 50%", "least: 60%"),
    ("/rewards/mug/mix", 'worth: "1.20"', 'worth: "1.30"'),
    ("/rewards/mug/value", 'value: "59.00"', 'value: "60.00"'),
    ("/rewards/mug/stock", "stock: 100", "stock: 99"),
    ("/rewards/mug/limits", "times: 2}]", "times: 1}]"),
    ("/rewards/mug/during", "during: {from: 2026-03-01}", "during: {from: 2026-03-02}"),
    ("/rewards/mug/when", "purchases > 0", "purchases > 1"),
    ("/rewards/mug/visible", 'visible: member.tier.membership == "silver"', 'visible: member.id != "m"'),
    ("/rewards/mug/hold", "hold: 14D", "hold: 13D"),
    ("/rewards/mug/fulfilment", "failed: {points: give_back", "failed: {points: keep"),
    ("/rewards/pass/gives", "for: 3M", "for: 2M"),
    ("/rewards/surprise/gives", "voucher: birthday, count: 3", "voucher: birthday, count: 2"),
    ("/rewards/surprise/gives", "voucher: birthday, count: 3", "voucher: summer, count: 3"),
]  # fmt: skip


def test_money_in_a_wallet_is_told_as_the_document_says_it_unless_its_points_changed_their_worth() -> None:
    cards = "rewards: {r: {price: {wallet: w, points: 5}, gives: {gift_card: card, amount: "
    before, after, cheaper = [
        sound(text)
        for text in (
            f'{HEAD}{cards}"5.25"}}}}}}',
            f'{HEAD}{cards}"5.00"}}}}}}',
            f'{HEAD}{cards}"5.00"}}}}}}'.replace("points: 1, worth", "points: 2, worth"),
        )
    ]
    told = [each for each in difference(before, after) if each.path == "/rewards/r/gives"]
    assert [(each.before, each.after) for each in told] == [
        ('{gift_card: card, amount: "5.25"}', '{gift_card: card, amount: "5.00"}')
    ]
    told = [each for each in difference(before, cheaper) if each.path == "/rewards/r/gives"]
    assert [(each.before, each.after) for each in told] == [
        ("{gift_card: card, points: 525}", "{gift_card: card, points: 1000}")
    ]


@pytest.mark.parametrize(("path", "before", "after"), LESS)
def test_what_gives_less_for_points_concerns_those_who_have_them(path: str, before: str, after: str) -> None:
    assert EVERY_WORD.count(before) == 1, before
    (change,) = difference(sound(EVERY_WORD), sound(EVERY_WORD.replace(before, after)))
    assert (change.path, change.concerns) == (path, Holders("points"))


MORE = [
    ("/rewards/mug/price", "points: {membership.silver: 500}", "points: {membership.silver: 499}"),
    ("/rewards/mug/stock", "stock: 100", "stock: 101"),
    ("/rewards/mug/limits", "times: 2}]", "times: 3}]"),
    ("/rewards/mug/hold", "hold: 14D", "hold: none"),
    ("/rewards/mug/name", "name: Mug", "name: Cup"),
    ("/rewards/mug/picture", "mug.png", "cup.png"),
    ("/rewards/surprise/gives", "voucher: birthday, count: 3", "voucher: birthday, count: 4"),
    ("/rewards/card/automatic", "automatic: 600", "automatic: 700"),
    ("/causes/trees/yearly", "yearly: 100000", "yearly: 100001"),
]


@pytest.mark.parametrize(("path", "before", "after"), MORE)
def test_what_gives_no_less_concerns_nobody(path: str, before: str, after: str) -> None:
    assert EVERY_WORD.count(before) == 1, before
    (change,) = difference(sound(EVERY_WORD), sound(EVERY_WORD.replace(before, after)))
    assert (change.path, change.concerns) == (path, None)


def test_a_cause_that_may_be_credited_with_less_concerns_everyone() -> None:
    (change,) = difference(sound(EVERY_WORD), sound(EVERY_WORD.replace("yearly: 100000", "yearly: 99999")))
    assert change.concerns == Everyone()


def test_a_reward_that_goes_is_taken_from_those_with_points_and_a_new_one_from_nobody() -> None:
    line = next(line for line in EVERY_WORD.splitlines(keepends=True) if line.startswith("  card:"))
    with_, without = sound(EVERY_WORD), sound(EVERY_WORD.replace(line, ""))
    (gone,) = difference(with_, without)
    assert (gone.kind, gone.path, gone.concerns) == ("removed", "/rewards/card", Holders("stamps"))
    (new,) = difference(without, with_)
    assert (new.kind, new.takes_away) == ("added", False)


def test_a_renamed_reward_is_compared_with_itself_in_the_words_of_the_new_version() -> None:
    renamed = (
        EVERY_WORD.replace("  card: {gives: {gift_card: points,", "  gift: {was: card, gives: {gift_card: points,")
        .replace("  trees: {name: Trees, ", "  woods: {name: Trees, ").replace("was: wood}", "was: trees}")
        .replace("donation: trees", "donation: woods")
    )  # fmt: skip
    found = difference(sound(EVERY_WORD), sound(renamed))
    assert [(each.kind, each.before, each.after) for each in found if each.kind == "renamed"] == [
        ("renamed", "trees", "woods"),
        ("renamed", "card", "gift"),
    ]
    # What has no name is called by its id.
    assert {each.path for each in found if each.kind != "renamed"} == {"/rewards/gift/name"}


def test_a_renamed_voucher_is_the_one_that_a_reward_gives() -> None:
    def made(id: str, more: str = "") -> str:
        rewards = f"rewards: {{r: {{gives: {{voucher: {id}}}, price: {{wallet: w, points: 5}}}}}}"
        return f"{HEAD}vouchers: {{{id}: {{name: Ten, gives: {{off: 5}}{more}}}}}\n{rewards}"

    found = difference(sound(made("ten")), sound(made("tenner", ", was: ten")))
    assert [(each.kind, each.path) for each in found] == [("renamed", "/vouchers/tenner")]
