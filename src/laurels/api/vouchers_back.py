"""What became of vouchers that a return gave back: restored, alive for a while, in part, or too late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct, to_builtins

from laurels.api.texts import Texts, texts
from laurels.core.code import grouped
from laurels.core.compiled import Compiled
from laurels.core.explanation import voucher_back_sentence
from laurels.core.facts import AnyFact, VoucherEnded, VoucherGivenBack, VoucherIssued
from laurels.core.folding_vouchers import bare_code

Back = Literal["restored", "use_restored", "graced", "split", "expired", "revoked"]


class VoucherBack(Struct, frozen=True, kw_only=True):
    """A voucher that a return gave back, or what the member got in its place."""

    code: str
    status: Annotated[
        Back,
        Meta(
            description="`graced` and `expired`: its time was over; `split`: a new one over a part of it; `revoked`: "
            "the order that it was given for has come back, too; `use_restored`: of a code that is anybody's."
        ),
    ]
    until: Annotated[str | None, Meta(description="How long one that is graced, or new, can be used.")] = None
    text: Texts


def vouchers_back(facts: Iterable[AnyFact], compiled: Compiled) -> tuple[VoucherBack, ...]:
    """The vouchers that an activity gave back, in their order."""
    given = [fact for fact in facts if isinstance(fact, VoucherGivenBack | VoucherIssued | VoucherEnded)]
    ended = {fact.code: fact.status for fact in given if isinstance(fact, VoucherEnded)}
    found: list[VoucherBack] = []
    for fact in given:
        if isinstance(fact, VoucherGivenBack):
            status, until = "restored" if fact.graced_until is None else "graced", fact.graced_until
        elif isinstance(fact, VoucherIssued) and fact.reason == "split":
            status, until = "split", fact.expires_at
        else:
            continue
        if fact.code in ended:
            status, until = ended[fact.code], None
        elif status == "restored" and bare_code(fact.code) != fact.code:
            status = "use_restored"
        sentence = voucher_back_sentence(status)
        found.append(
            VoucherBack(
                code=grouped(bare_code(fact.code)),
                status=cast(Back, status),
                until=None if until is None else compiled.zone.format(until),
                text=texts(sentence),
            )
        )
    return tuple(found)


def grants_back(facts: Iterable[AnyFact], compiled: Compiled) -> tuple[dict[str, Any], ...]:
    """The same among the grants of an answer."""
    return tuple([{"kind": "voucher_back", **to_builtins(each)} for each in vouchers_back(facts, compiled)])
