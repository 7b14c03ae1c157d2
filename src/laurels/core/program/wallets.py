"""Wallets in the document: pending, expiry, what returns do to spent points, and points as money at the till."""

from __future__ import annotations

import math
from typing import Final, Literal

from laurels.core.calendar import Duration, Period
from laurels.core.money import ceil_div
from laurels.core.program.document import Node
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Either, Form, FormOf, ListOf, OrWord, Said, Variant, Word, said_or
from laurels.core.program.model import (
    After,
    ExpiryRule,
    Inactive,
    Never,
    OnDates,
    Pending,
    PointsAsMoney,
    Wallet,
)
from laurels.core.program.values import ACTIVITY_TYPE, AMOUNT, DURATION, ID, MONTH_DAY, SHARE, SPAN, TEXTS, TRUTH, whole

PERIOD: Final = Choice(*Period)

_KEEPING: Final[Choice[Literal["pending_only", "within_balance"]]] = Choice("pending_only", "within_balance")


class AfterForm(Form):
    """Expiry after a time: counted from the moment the points became available."""

    after = Word(SPAN, "how long points live", required=True)
    round = Word(PERIOD, "the period at whose end they expire, such as month")


class OnDatesForm(Form):
    """Expiry on calendar dates: at the end of the first of these days that leaves enough time."""

    on = Word(ListOf(MONTH_DAY, or_one=True, least=1, most=366), 'days of the year, such as "06-30"', required=True)
    at_least = Word(SPAN, "the least time points live; a date that comes earlier is passed over")


class InactiveForm(Form):
    """Expiry after inactivity: all points of the wallet expire together when the member did nothing that keeps them."""

    inactive_for = Word(SPAN, "how long nothing happened", required=True)
    kept_by = Word(
        ListOf(ACTIVITY_TYPE, or_one=True, least=1, most=50),
        "what keeps points alive: earn, spend, or activity types; earn and spend by default",
    )


ExpiryForm = AfterForm | OnDatesForm | InactiveForm

EXPIRES: Final = Either(
    Choice("never"),
    Variant[ExpiryForm]("an expiry", {"after": AfterForm, "on": OnDatesForm, "inactive_for": InactiveForm}),
)


class ReleaseForm(Form):
    """A release: points wait until an activity of a type."""

    until = Word(ACTIVITY_TYPE, "the type of activity that releases them", required=True)
    at_most = Word(SPAN, "how long they wait at most", required=True)


class DebtForm(Form):
    """A debt: returned points that are spent are owed."""

    debt = Word(OrWord("unlimited", whole()), "how many points a member may owe, or unlimited", required=True)
    freeze = Word(TRUTH, "true: nothing can be redeemed while there is debt")


class MoneyForm(Form):
    """Points as money: what points pay at the till."""

    points = Word(whole(1), "so many points ...", required=True)
    worth = Word(AMOUNT, "... pay this amount of the program's currency", required=True)
    minimum = Word(whole(), "the least number of points to pay with")
    multiple = Word(whole(1), "points are paid in steps of this number")
    largest_share = Word(SHARE, "the largest part of an order that points may pay, such as 50%")


class WalletForm(Form):
    """A wallet: a kind of unit that members hold, with its life cycle."""

    name = Word(TEXTS, "what it is called, by language")
    spendable = Word(TRUTH, "false: it is only counted, as growth values are")
    pending = Word(
        Either(OrWord("none", DURATION), FormOf(ReleaseForm)),
        "how long points wait before they can be spent: none, a duration, or until an activity",
    )
    expires = Word(EXPIRES, "when points expire; never by default")
    when_spent = Word(
        Either(_KEEPING, FormOf(DebtForm)),
        "what a return takes when its points are already spent: only pending points, what the balance has, or a debt",
    )
    restore_grace = Word(
        OrWord("none", SPAN), "how long points live that are given back after their expiry; none by default"
    )
    hold = Word(SPAN, "how long a redemption may stay open before it times out; 24H by default")
    money = Word(FormOf(MoneyForm), "what points pay at the till")
    was = Word(ID, "the id it had in the version before")


def resolve_wallet(wallet: str, form: WalletForm, frame: Frame) -> Wallet:
    """The wallet that a form describes, with findings where its words do not go together."""
    spendable = said_or(form.spendable, True)
    if not spendable:
        for said in (form.when_spent, form.hold, form.restore_grace, form.money):
            if said.is_said:
                word = said.node.path.rsplit("/", 1)[-1]
                message = f"{word} makes no sense in a wallet that cannot be spent"
                frame.notes.error("not_spendable", said.node, message, f"leave out {word}, or spendable: false")
    policy = form.when_spent.value
    debt_limit: int | None = 0
    if isinstance(policy, DebtForm):
        limit = policy.debt.value
        debt_limit = limit if isinstance(limit, int) else None
    return Wallet(
        id=wallet,
        name=frame.texts(form.name, wallet),
        spendable=spendable,
        pending=_pending(form, frame),
        expires=resolve_expiry(form.expires, frame),
        when_spent="debt" if isinstance(policy, DebtForm) else policy or "within_balance",
        debt_limit=debt_limit,
        freeze=isinstance(policy, DebtForm) and said_or(policy.freeze, False),
        restore_grace=span_or_none(form.restore_grace),
        hold=said_or(form.hold, Duration(days=1)),
        money=_money(form.money.value, frame) if form.money.value else None,
        was=form.was.value,
    )


def span_or_none(said: Said[str | Duration]) -> Duration | None:
    """The duration said, if one is."""
    return said.value if isinstance(said.value, Duration) else None


def resolve_expiry(said: Said[str | ExpiryForm], frame: Frame) -> ExpiryRule:
    """The expiry rule of a wallet, or of a tier for a wallet."""
    match said.value:
        case AfterForm() as form:
            return After(said_or(form.after, Duration(months=12)), form.round.value)
        case OnDatesForm() as form:
            days = [day for day in said_or(form.on, ()) if day.value is not None]
            dates = [day.value for day in days if day.value is not None]
            for place, day in enumerate(days):
                if day.value in dates[:place]:
                    frame.notes.error("duplicate_date", day.node, "this day is already said", "say each day once")
            return OnDates(tuple(sorted(dates)), form.at_least.value)
        case InactiveForm() as form:
            if not form.kept_by.is_said:
                return Inactive(said_or(form.inactive_for, Duration(months=12)))
            kept_by = said_or(form.kept_by, ())
            for each in kept_by:
                if each.value not in ("earn", "spend"):
                    frame.has_trigger(each.value, each.node)
            names = frozenset(each.value for each in kept_by if each.value is not None)
            return Inactive(said_or(form.inactive_for, Duration(months=12)), names)
        case _:
            return Never()


def _pending(form: WalletForm, frame: Frame) -> Pending | None:
    match form.pending.value:
        case Duration() as wait:
            return Pending(wait) if wait != Duration() else None
        case ReleaseForm() as release:
            frame.has_trigger(release.until.value, release.until.node)
            return Pending(said_or(release.at_most, Duration(days=1)), release.until.value)
        case _:
            return None


def _money(form: MoneyForm, frame: Frame) -> PointsAsMoney:
    points = said_or(form.points, 1)
    worth = frame.money(form.worth.value, form.worth.node)
    minimum = said_or(form.minimum, 0)
    multiple = said_or(form.multiple, 1)
    if form.worth.value is not None and not form.worth.value:
        frame.notes.error("worthless", form.worth.node, "points that are worth nothing pay nothing", "leave out money")
    if form.points.value and math.gcd(worth * multiple, points) != points:
        message = f"{multiple} points are not worth a whole number of the currency's smallest units"
        hint = f"points are paid in steps of multiple, which is {multiple}; multiple: {points} is always right"
        frame.notes.warning("uneven_worth", form.multiple.node, message, hint)
    reachable = ceil_div(minimum, multiple) * multiple
    if reachable != minimum:
        hint = f"write minimum: {reachable}"
        frame.notes.warning("uneven_minimum", form.minimum.node, "the minimum is not a multiple of multiple", hint)
    return PointsAsMoney(points, worth, minimum, multiple, form.largest_share.value)


def note_expiry_conflicts(wallet: Wallet, override: ExpiryRule, at: Node, frame: Frame) -> None:
    """A sliding expiry is one instant for the whole wallet, so that a tier can lift it but not mix it with others."""
    if isinstance(override, Never) or isinstance(wallet.expires, Inactive) == isinstance(override, Inactive):
        return
    message = f"wallet {shown(wallet.id)} cannot expire both by inactivity and otherwise"
    frame.notes.error("mixed_expiry", at, message, "a tier may make it never, or change how long inactive_for is")
