"""Vouchers in the document: an offer that is used by naming a code, and the life of that code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from laurels.core.calendar import Duration, Period
from laurels.core.code import canonical
from laurels.core.program.campaigns import (
    LIMIT,
    DuringForm,
    end_of,
    resolve_during,
    resolve_limits,
    resolve_rule,
)
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Form, FormOf, ListOf, OrWord, Said, Variant, Word, Written, said_or
from laurels.core.program.model import After, Budget, Limit, MemberLimit
from laurels.core.program.offers import OfferForm, resolve_offer
from laurels.core.program.offers_model import AmountOff, Offer, Points
from laurels.core.program.values import CONDITION, ID, MOMENT, SPAN, TEXTS, TRUTH, whole
from laurels.core.program.vouchers_model import Until, Voucher, VoucherExpiry, WithTime
from laurels.core.program.wallets import span_or_none
from laurels.core.program.within import WITHIN, resolve_within

_CODE_LEAST: Final = 3


def _code(text: str) -> str:
    code = canonical(text)
    if len(code) < _CODE_LEAST:
        raise ValueError(f"{shown(text)} is not a code")
    return code


CODE: Final = Written(
    "a code",
    _code,
    {"type": "string", "minLength": _CODE_LEAST, "maxLength": 64},
    code="bad_code",
    hint="write 3 to 64 letters and digits, as in WELCOME10; case, blanks and dashes make no difference",
)


class VoucherAfterForm(Form):
    """A validity: how long a voucher is good for."""

    after = Word(SPAN, "how long after it was issued", required=True)
    round = Word(Choice(*Period), "moved to the end of the period that this falls in")


class VoucherUntilForm(Form):
    """A last day: when all vouchers of a kind expire."""

    until = Word(MOMENT, "the last day, which is included, or the first instant after it", required=True)


class VoucherWithinForm(Form):
    """A time of the member's own: a voucher expires with the one in which it was issued, else with the next one."""

    within = Word(WITHIN, "the time of the member's own", required=True)


ExpiryForm = VoucherAfterForm | VoucherUntilForm | VoucherWithinForm

EXPIRES: Final = Variant[ExpiryForm](
    "an expiry", {"after": VoucherAfterForm, "until": VoucherUntilForm, "within": VoucherWithinForm}
)


class VoucherForm(OfferForm):
    """A voucher: an offer for those who name its code."""

    name = Word(TEXTS, "what it is called, by language")
    code = Word(
        ListOf(CODE, or_one=True, least=1, most=100),
        "the code that anybody may use, or a list of such; without it every voucher has a code of its own",
    )
    expires = Word(EXPIRES, "when a voucher expires; never by default")
    when = Word(CONDITION, "the condition (CEL) under which a purchase may use it")
    during = Word(FormOf(DuringForm), "when it may be used; always by default")
    limits = Word(ListOf(LIMIT, least=1, most=20), "how often it may be used, in times")
    per_order = Word(whole(1, 100), "how many of the kind one order may use; 1 by default")
    transferable = Word(TRUTH, "whether a member may pass it on to another; false by default")
    on_return = Word[Literal["whole", "split"]](
        Choice("whole", "split"),
        "whole: it comes back when its whole order is returned; split: a return gives back its share of the amount, "
        "as a new voucher; whole by default",
    )
    restore_grace = Word(
        OrWord("none", SPAN), "how long a voucher lives that a return gives back after its expiry; none by default"
    )
    hold = Word(SPAN, "how long a checkout may reserve it; 30MIN by default")
    was = Word(ID, "the id it had in the version before")


def resolve_voucher(voucher: str, form: VoucherForm, frame: Frame) -> Voucher:
    """The kind of voucher that a form describes; one that gives nothing readable stands in for a finding."""
    offer = resolve_offer(form, frame) or Offer(AmountOff(0))
    codes = tuple(each.value for each in said_or(form.code, ()) if each.value is not None)
    if codes and form.transferable.value:
        message = "a code that anybody may use belongs to nobody who could pass it on"
        frame.notes.error("contradiction", form.transferable.node, message, "leave it out")
    grace = span_or_none(form.restore_grace)
    if codes and grace is not None:
        message = "what comes back of a shared code is nobody's, and lives as long as the code"
        frame.notes.error("contradiction", form.restore_grace.node, message, "leave it out")
    if codes and form.on_return.value == "split":
        message = "what comes back of a shared code is nobody's"
        frame.notes.error("contradiction", form.on_return.node, message, "give every voucher a code of its own")
    if isinstance(offer.gives, Points) and offer.gives.new is not None:
        message = "a voucher does not ask what its member bought before"
        frame.notes.error("contradiction", form.gives.node, message, "leave new out, or make it a promotion")
    if form.on_return.value == "split" and not _is_money(offer):
        message = "only what is off in money can be split"
        frame.notes.error("contradiction", form.on_return.node, message, "write on_return: whole")
    return Voucher(
        id=voucher,
        name=frame.texts(form.name, voucher),
        offer=offer,
        codes=tuple(dict.fromkeys(codes)),
        expires=None if form.expires.value is None else _expiry(form.expires, form.expires.value, frame),
        when=resolve_rule(form.when, "purchase", "condition", frame),
        during=resolve_during(form.during.value, frame, "voucher"),
        limits=_in_times(form, frame),
        per_order=said_or(form.per_order, 1),
        transferable=said_or(form.transferable, False),
        on_return=said_or(form.on_return, "whole"),
        restore_grace=grace,
        hold=said_or(form.hold, Duration.parse("30MIN")),
        was=form.was.value,
    )


def _is_money(offer: Offer) -> bool:
    return not hasattr(offer.gives, "wallet")


def _expiry(said: Said[ExpiryForm], form: ExpiryForm, frame: Frame) -> VoucherExpiry | None:
    if isinstance(form, VoucherAfterForm):
        return None if form.after.value is None else After(form.after.value, form.round.value)
    if isinstance(form, VoucherWithinForm):
        own = resolve_within(form.within, frame)
        return None if own is None else WithTime(own)
    until = end_of(form.until.value, frame)
    if until is None:
        return None
    if frame.at is not None and until <= frame.at:
        frame.notes.warning("past_window", said.node, "these vouchers have already expired", "give them another end")
    return Until(until)


def _in_times(form: VoucherForm, frame: Frame) -> tuple[Limit, ...]:
    """The limits, which count uses; a finding for one that counts points."""
    limits = resolve_limits(said_or(form.limits, ()), frame)
    for limit in limits:
        if isinstance(limit, MemberLimit | Budget) and limit.unit != "times":
            message = "a voucher is used so many times, it has no points to count"
            frame.notes.error("contradiction", form.limits.node, message, "write times, or budget: times")
    return limits


def note_shared_codes(forms: dict[str, VoucherForm], promotions: Iterable[str], frame: Frame) -> None:
    """Findings where two kinds of voucher have the same code, or one that a till could take for a promotion's id; where
    one is in a batch already, a warning."""
    ids = {canonical(promotion): promotion for promotion in promotions}
    owners: dict[str, str] = {}
    for voucher, form in forms.items():
        for each in said_or(form.code, ()):
            if each.value is None:
                continue
            owner = owners.setdefault(each.value, voucher)
            if each.value in ids:
                message = f"{shown(each.value)} reads like the promotion {shown(ids[each.value])} in a till's discounts"
                frame.notes.error("duplicate_code", each.node, message, "write another code")
            if each.value in frame.in_batches:
                message = f"{shown(each.value)} is in a batch of codes already, and nobody could use that one any more"
                hint = "write another code, or revoke the batch if nobody is to use its codes"
                frame.notes.warning("code_in_batch", each.node, message, hint)
            if owner != voucher:
                message = f"{shown(each.value)} is the code of {shown(owner)} already"
                frame.notes.error("duplicate_code", each.node, message, "give each voucher a code of its own")
