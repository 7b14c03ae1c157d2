"""`decide`: what an activity brings about, as facts. Pure: the same inputs give the same facts, for ever.

This file reads like a table of contents of the files beside it. First everything due up to the recording is carried
out, then the activity is judged, then what fell due by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import msgspec

from laurels.core import voucher, voucher_use
from laurels.core.activity import (
    Activity,
    Adjustment,
    Cancel,
    Capture,
    Choose,
    Claim,
    Clock,
    Data,
    Enrol,
    Extension,
    Forfeit,
    Free,
    Fulfil,
    Hold,
    MemberChange,
    OpeningBalance,
    Parcel,
    Play,
    Prize,
    Purchase,
    Quote,
    QuoteCancel,
    Redeem,
    Reinstatement,
    Return,
    Transfer,
)
from laurels.core.adjustment import adjust, extend, open_balance, reinstate
from laurels.core.apply import USES_IN_ROOT, Draft, uses_key
from laurels.core.automatic import choose, redeem_chosen
from laurels.core.bought import KEY as BOUGHT
from laurels.core.calendar import Instant
from laurels.core.case import NOTHING_OUTSIDE, Case, Code, Outside
from laurels.core.compiled import Compiled
from laurels.core.due import adopt, settle
from laurels.core.due import bring_up as carry_out_due
from laurels.core.enrolment import change, enrol
from laurels.core.facts import AnyFact
from laurels.core.folding_vouchers import LIST, voucher_key
from laurels.core.fulfilment import call_off, fulfil, redeem
from laurels.core.member import ROOT, Member, Root, page_key, tickets_key, upcoming
from laurels.core.prize import claim, pass_over, play, win
from laurels.core.purchase import record_free, record_purchase
from laurels.core.quote import may_reserve, reserve
from laurels.core.quote_ending import cancel_quote
from laurels.core.redemption import capture, hold
from laurels.core.refusal import Refusal
from laurels.core.reversal import take_back
from laurels.core.reversal.vouchers import take_if_lost
from laurels.core.transfer import receive, send, take_home
from laurels.core.version import Versions
from laurels.core.voucher_activity import (
    VoucherClaim,
    VoucherIssue,
    VoucherParcel,
    VoucherRelease,
    VoucherReserve,
    VoucherRevoke,
    VoucherTransfer,
)
from laurels.core.voucher_use import names_codes

ENGINE: Final = 1
"""Raised whenever any fact may come out differently; stored with every activity."""


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """What comes from outside the member's own history, recorded with the activity.

    `recorded_at` is never before what was recorded earlier for the member. `pools` maps a pool to what was used of it
    (before this activity); a pool that is not named is untouched. `random` is 32 hex digits of chance, `codes` are the
    voucher codes that the shell found among those that belong to nobody yet, `keys` are the keys of draws by name.
    """

    recorded_at: Instant
    pools: dict[str, int] = {}
    random: str = ""
    codes: dict[str, Code] = {}
    keys: dict[str, str] = {}


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Facts, the member that they lead to, and the keys of the documents that changed (None in the member: removed).

    `given` are the circumstances as far as they are to be stored: of chance, codes and keys only what was looked at.
    """

    facts: tuple[AnyFact, ...]
    member: Member
    changed: frozenset[str]
    version: int
    given: Circumstances


def needs(
    versions: Versions,
    activity: Activity,
    root: Root,
    at: Instant,
    codes: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Keys of the documents that `decide` will want besides the root; a good guess, `Missing` asks for the rest.

    `codes` are those that the activity names and that may be a voucher's (`Versions.of_vouchers`), where somebody has
    looked: nothing is looked up for a till's own discounts.
    """
    keys: list[str] = []
    data = activity.data
    if isinstance(data, (Purchase, Return)):
        keys.append(f"order/{data.order}")
        if isinstance(data, Purchase) and data.quote is not None:
            keys.append(f"quote/{data.quote}")
        if isinstance(data, Purchase) and data.tenders:
            keys.extend([f"redemption/{tender.redemption}" for tender in data.tenders if tender.redemption])
    elif isinstance(data, (Hold, Capture, Cancel, Redeem, Fulfil)):
        keys.append(f"redemption/{data.redemption}")
    elif isinstance(data, QuoteCancel):
        keys.append(f"quote/{data.quote}")
    elif isinstance(data, Quote):
        keys.extend([f"order/{data.cart.order}", f"quote/{data.quote}"])
    elif isinstance(data, (Play, Prize, Claim, Forfeit)):
        keys.append(tickets_key(data.draw))
    elif isinstance(data, Reinstatement):
        keys.extend([f"expired/{lot}" for lot in data.lots])
    if versions.has_vouchers:
        if codes is None:
            codes = names_codes(data, versions.at(activity.occurred_at))
        keys.extend(_of_vouchers(data, root, at, codes))
    for wallet, balance in root.wallets.items():
        pages = balance.pages
        for n, head in enumerate(pages):
            due = (head.activates_at is not None and head.activates_at <= at) or (
                head.expires_at is not None and head.expires_at <= at
            )
            if due or n == len(pages) - 1:
                keys.append(page_key(wallet, head.number))
    compiled = versions.at(activity.occurred_at)
    if compiled is not None:
        keys.extend([f"measures/{track.id}" for track in compiled.rolling_tracks])
        trigger = compiled.trigger("purchase" if isinstance(data, Quote) else activity.type)
        if trigger is not None:
            if trigger.asks_new:
                keys.append(BOUGHT)
            keys.extend([tickets_key(draw) for draw in trigger.draws])
    if root.quotes:
        keys.extend([f"quote/{id}" for id, until in root.quotes.items() if until <= at])
    if root.draws or root.claims:
        keys.extend([tickets_key(draw) for draw, closes_at in root.draws.items() if closes_at <= at])
        keys.extend([tickets_key(key.rpartition("#")[0]) for key, until in root.claims.items() if until <= at])
    keys.extend([f"redemption/{id}" for id, ends_at in root.holds.items() if ends_at is not None and ends_at <= at])
    keys.extend([uses_key(limit) for limit, uses in root.limits.items() if len(uses) >= USES_IN_ROOT])
    return tuple(keys)


def _of_vouchers(data: Data, root: Root, at: Instant, codes: Sequence[str]) -> list[str]:
    """The documents of the vouchers that an activity names, and the list where anything may be added to it."""
    keys = [voucher_key(code) for code in codes]
    if codes:
        order = getattr(getattr(data, "cart", data), "order", None)
        holders = (voucher.Holder(order), voucher.Holder(quote=getattr(data, "quote", None)), voucher.ANYBODY)
        for holder in dict.fromkeys(holders):
            keys.extend([voucher_key(holder.instance(code)) for code in codes])
    if codes or isinstance(data, (VoucherIssue, Return)) or (root.vouchers_at is not None and root.vouchers_at <= at):
        keys.append(LIST)
    return keys


def decide(versions: Versions, member: Member, activity: Activity, circumstances: Circumstances) -> Decision | Refusal:
    """What comes of the activity for the member. Raises `Missing` with the keys of documents that must be loaded."""
    compiled = versions.at(activity.occurred_at)
    if compiled is None:
        return Refusal("unknown_program_version")
    case = Case(versions, Draft(member), circumstances.recorded_at, dict(circumstances.pools))
    if circumstances.random or circumstances.codes or circumstances.keys:
        case.outside = Outside(circumstances.random, circumstances.codes, circumstances.keys)
    if case.root.enrolled_at is None and not isinstance(activity.data, Enrol):
        return Refusal("unknown_member", activity.member)
    carry_out_due(case, case.at)
    now = versions.judging(case.at)
    if case.root.enrolled_at is not None:
        adopt(case, now, case.at)
    refusal = _judge(case, compiled, now, activity)
    if refusal is not None:
        return refusal
    ahead = settle(case, now)
    if case.root.automatic:
        redeem_chosen(case, now)
        ahead = upcoming(case.root)
    after = case.draft.finish(case.seq, case.at, ahead)
    given = circumstances if case.outside is NOTHING_OUTSIDE else _looked_at(circumstances, case.outside)
    return Decision(tuple(case.facts), after, frozenset(case.draft.changed), compiled.number, given)


def _looked_at(given: Circumstances, outside: Outside) -> Circumstances:
    """The circumstances without the chance, codes and keys that made no difference."""
    looked = outside.looked
    if not looked:
        return Circumstances(given.recorded_at, given.pools, given.random if outside.drew else "")
    return Circumstances(
        given.recorded_at,
        given.pools,
        given.random if outside.drew else "",
        {code: found for code, found in given.codes.items() if code in looked},
        {name: key for name, key in given.keys.items() if name in looked},
    )


def _judge(case: Case, earning: Compiled, now: Compiled, activity: Activity) -> Refusal | None:
    """Earning is judged by the version of the instant it occurred, spending by that of the recording."""
    data = activity.data
    if isinstance(data, Purchase):
        return record_purchase(case, earning, now, activity, data)
    if isinstance(data, Quote):
        return record_quote(case, earning, now, activity, data)
    if isinstance(data, QuoteCancel):
        return cancel_quote(case, data)
    if isinstance(data, Free):
        return record_free(case, earning, now, activity, data)
    if isinstance(data, Return):
        return take_back(case, data)
    if isinstance(data, Enrol):
        return enrol(case, earning, activity, data)
    if isinstance(data, Hold):
        return hold(case, now, data)
    if isinstance(data, Capture):
        return capture(case, now, data)
    if isinstance(data, Cancel):
        return call_off(case, now, data)
    if isinstance(data, Redeem):
        return redeem(case, now, data)
    if isinstance(data, Fulfil):
        return fulfil(case, now, data)
    if isinstance(data, Choose):
        return choose(case, now, data)
    if isinstance(data, Adjustment):
        return adjust(case, now, data)
    if isinstance(data, OpeningBalance):
        return open_balance(case, now, data)
    if isinstance(data, Extension):
        return extend(case, now, data)
    if isinstance(data, Reinstatement):
        return reinstate(case, now, data)
    if isinstance(data, Transfer):
        return send(case, now, activity, data)
    if isinstance(data, Parcel):
        if activity.type == "transfer_in":
            return receive(case, now, data)
        take_home(case, now, data)
        return None
    if isinstance(data, MemberChange):
        return change(case, activity, data)
    if isinstance(data, Play):
        return play(case, now, data)
    if isinstance(data, Prize):
        return win(case, now, data)
    if isinstance(data, Claim):
        return claim(case, data)
    if isinstance(data, Forfeit):
        return pass_over(case, data)
    if isinstance(data, Clock):
        return None
    if isinstance(data, VoucherReserve):
        return voucher_use.reserve(case, now, data)
    if isinstance(data, VoucherRelease):
        return voucher_use.release(case, data)
    if isinstance(data, VoucherIssue):
        return voucher.give(case, now, data)
    if isinstance(data, VoucherClaim):
        return voucher.claim(case, now, data)
    if isinstance(data, VoucherRevoke):
        return voucher.revoke(case, data)
    if isinstance(data, VoucherTransfer):
        return voucher.pass_on(case, now, activity, data)
    if isinstance(data, VoucherParcel):
        if activity.type == "voucher_in":
            return voucher.receive(case, now, data)
        voucher.take_home(case, now, data)
        take_if_lost(case, data.code)
        return None
    assert_never(data)


def record_quote(case: Case, earning: Compiled, now: Compiled, activity: Activity, data: Quote) -> Refusal | None:
    """A cart decided as a purchase. Reserved, nothing comes of it but what it claims, and the promise of the rest."""
    purchase = msgspec.structs.replace(activity, type="purchase", data=data.cart)
    if not data.reserve:
        return record_purchase(case, earning, now, purchase, data.cart, quoting=data.quote)
    refusal = may_reserve(case, data.quote)
    if refusal is not None:
        return refusal
    aside = Case(
        case.versions,
        Draft(Member(case.draft.id, {**case.draft.documents, ROOT: case.root})),
        case.at,
        dict(case.pools),
    )
    aside.outside = case.outside
    refusal = record_purchase(aside, earning, now, purchase, data.cart, quoting=data.quote)
    if refusal is not None:
        return refusal
    reserve(case, now, data.quote, data.cart, aside.facts)
    return None


def bring_up(versions: Versions, member: Member, at: Instant) -> Member:
    """The member as of `at`, everything due until then carried out: for reading, nothing of it is recorded."""
    root = member.root
    if (root.due_at is None or root.due_at > at) and not versions.starts_between(root.now, at):
        return member
    case = Case(versions, Draft(member), at, {})
    carry_out_due(case, at)
    return case.draft.finish(root.seq, at)
