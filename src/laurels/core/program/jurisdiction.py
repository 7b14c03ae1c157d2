"""What the law of a country asks of a draw before it is published: one pack of checks for each country.

`CN`: the Anti-Unfair Competition Law of the People's Republic of China (revised 2025, in force since 15 October 2025),
article 11, forbids sales with prizes whose kinds, claim conditions, amounts or goods are unclear so that claiming
suffers; to change these once it has begun without good reason; to pretend prizes or have insiders win; and, by chance,
a prize above 50,000 yuan. The Interim Provisions on Regulating Sales Promotion (State Administration for Market
Regulation, order 32 of 2020), article 13, list what is published before: among it prices, quantity or odds, time and
method of drawing, claim and forfeiture. That it is said in both languages is this project's own rule.
"""

from __future__ import annotations

from typing import Final

from laurels.core.money import ceil_div, format_minor
from laurels.core.program.document import Node
from laurels.core.program.draws_model import RULES, Draw, Prize
from laurels.core.program.frame import Frame
from laurels.core.program.offers_model import AmountOff, PercentOff, Steps

YUAN_MOST: Final = 50_000
LANGUAGES: Final = ("zh-CN", "en")

_LAW: Final = "Anti-Unfair Competition Law (2025 revision), article 11"
_PROVISIONS: Final = "Interim Provisions on Regulating Sales Promotion (2020), article 13"


def check_cn(draw: Draw, at: dict[str, Node], frame: Frame) -> None:
    """Findings where a draw may not be published in China. `at` has the node of each word, of each prize by its id."""
    if frame.currency is not None and frame.currency.code != "CNY":
        message = f"the rules of CN compare prizes in CNY, and the program's currency is {frame.currency.code}"
        frame.notes.error("not_comparable", at[""], message, "write jurisdiction: none, or keep amounts in CNY")
        return
    _check_texts(draw.name, "name", at.get("name", at[""]), frame)
    for prize in (*draw.prizes, *((draw.fallback,) if draw.fallback else ())):
        _check_prize(prize, at[f"prizes/{prize.id}"], frame)
    for word in RULES:
        texts = draw.rules.get(word)
        where = at.get(f"rules/{word}", at.get("rules", at[""]))
        if texts is None:
            message = f"the rules of the draw do not say {word}"
            frame.notes.error("needs_rules", where, message, f"{word} belongs to what is published; {_PROVISIONS}")
        else:
            _check_texts(texts, word, where, frame)
    for n, amendment in enumerate(draw.amendments):
        _check_texts(amendment.reason, "reason", at[f"changes/{n}"], frame)


def _check_prize(prize: Prize, at: Node, frame: Frame) -> None:
    assert frame.currency is not None
    if prize.value is None:
        frame.notes.error(
            "needs_value", at, "the value of this prize is not said", f"write value: amount; {_PROVISIONS}"
        )
    value = max(prize.value or 0, _worth(prize, frame))
    if value > YUAN_MOST * 10**frame.currency.places:
        value_text = format_minor(value, frame.currency.places)
        message = f"a single prize of {value_text} yuan is above {YUAN_MOST:,} yuan"
        frame.notes.error("prize_too_high", at, message, f"by chance no single prize may be worth more: {_LAW}")
    _check_texts(prize.name, "name", at, frame)


def _worth(prize: Prize, frame: Frame) -> int:
    """What the document itself says a prize comes to, in minor units, whatever value it states: 0 where it does not."""
    if prize.wallet is not None:
        wallet = frame.wallets.get(prize.wallet)
        if wallet is None or wallet.money is None:
            return 0
        return ceil_div(prize.points * wallet.money.worth, wallet.money.points)
    kind = None if prize.voucher is None else frame.vouchers.get(prize.voucher)
    match None if kind is None else kind.offer.gives:
        case AmountOff(amount=most) | PercentOff(most=int(most)):
            return most
        case Steps(steps=steps, repeat=False):
            return max([step.off or 0 for step in steps])
    return 0


def _check_texts(texts: dict[str, str], what: str, at: Node, frame: Frame) -> None:
    lacking = [language for language in LANGUAGES if language not in texts]
    if lacking:
        message = f"the {what} is not said in {' and '.join(lacking)}"
        frame.notes.error("needs_language", at, message, "write {zh-CN: ..., en: ...}")
