"""Every code with which the core explains itself has its sentence in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from laurels.core.explanation import (
    CAMPAIGN_CODES,
    ENTRY_REASONS,
    GRANT_CODES,
    PROMOTION_CODES,
    QUOTE_CODES,
    TIER_REASONS,
    TILL_CODES,
    Sentence,
    campaign_sentence,
    limit_sentence,
    promotion_sentence,
)
from laurels.core.facts import Judged

CORE = Path(__file__).parents[2] / "src/laurels/core"


def words_in(source: str) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def sources(*names: str) -> Iterator[str]:
    for name in names:
        for path in CORE.glob(name):
            yield path.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", CAMPAIGN_CODES)
def test_campaign_code_is_one_that_the_core_uses(code: str) -> None:
    assert any(code in words_in(source) for source in sources("accrual.py", "limit.py", "ticket.py", "reversal/*.py"))


@pytest.mark.parametrize("reason", TIER_REASONS)
def test_tier_reason_is_one_that_the_core_uses(reason: str) -> None:
    assert any(
        reason in words_in(source)
        for source in sources("tier.py", "tier_pass.py", "tier/*.py", "keeping.py", "enrolment.py")
    )


@pytest.mark.parametrize("reason", ENTRY_REASONS)
def test_entry_reason_is_one_that_the_core_uses(reason: str) -> None:
    used = sources(
        "prize.py",
        "redemption.py",
        "adjustment.py",
        "expiry.py",
        "transfer.py",
        "facts.py",
        "journal.py",
        "reversal/*.py",
        "fulfilment.py",
        "program/rewards_model.py",
    )
    assert any(reason in words_in(source) for source in used)


@pytest.mark.parametrize("code", [*PROMOTION_CODES, *QUOTE_CODES])
def test_promotion_and_quote_code_is_one_that_the_core_uses(code: str) -> None:
    used = sources("promotion.py", "pricing.py", "purchase.py", "quote.py", "limit.py", "voucher_pricing.py")
    assert any(code in words_in(source) for source in used)


@pytest.mark.parametrize("code", [code for code in GRANT_CODES if code.startswith("voucher_")])
def test_reason_of_a_voucher_is_one_that_the_core_uses(code: str) -> None:
    used = sources("voucher*.py", "accrual.py", "giving.py", "facts_offers.py", "reversal/vouchers.py")
    assert any(code.removeprefix("voucher_") in words_in(source) for source in used)


@pytest.mark.parametrize(
    "table", [CAMPAIGN_CODES, PROMOTION_CODES, TILL_CODES, QUOTE_CODES, GRANT_CODES, TIER_REASONS, ENTRY_REASONS]
)
def test_every_sentence_is_there_in_both_languages(table: dict[str, Sentence]) -> None:
    for sentence in table.values():
        assert sentence.en.endswith(".")
        assert sentence.zh.endswith("。")


def test_sentence_carries_its_numbers() -> None:
    sentence = campaign_sentence(Judged("beans", "trimmed", 79, 50, "points", "day_points"))
    assert sentence.en == "It granted 50 of 79: the member's limit a day (points) left no more."
    assert sentence.zh == "应发 79，实发 50：受限于每日会员上限（积分）。"


@pytest.mark.parametrize(
    ("code", "by", "given", "en", "zh"),
    [
        ("applied", None, "20.00", "It comes to 20.00; the till took 5.00 off.", "应优惠 20.00；收银台实际优惠 5.00。"),
        (
            "trimmed",
            "budget_money",
            "8.00",
            "It comes to 8.00 of 20.00, the budget (money) left no more; the till took 5.00 off.",
            "应优惠 20.00，受限于预算（金额）为 8.00；收银台实际优惠 5.00。",
        ),
        (
            "no_lines",
            None,
            "0.00",
            "It selects none of the lines. The till took 5.00 off all the same.",
            "没有符合条件的商品行。收银台仍优惠了 5.00。",
        ),
    ],
)
def test_what_a_till_took_off_otherwise_is_said_beside_what_is_given(
    code: str, by: str | None, given: str, en: str, zh: str
) -> None:
    said = promotion_sentence(code, by, "20.00", given, "5.00")
    assert (said.en, said.zh) == (en, zh)


def test_unknown_code_speaks_for_itself() -> None:
    assert campaign_sentence(Judged("beans", "unheard_of")).en == "unheard_of"
    assert limit_sentence("odd").en == "odd"
