"""Tier tracks in the document: what is measured, over which window, the tiers, and how standing is kept and lost.

A threshold is written in the unit of its metric: points, money, a count, or the sum of a field. A tier that does not
say `keep` is kept with what it took to enter it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from laurels.core.calendar import Duration
from laurels.core.money import Rate
from laurels.core.program.document import Node
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import (
    Choice,
    Either,
    Entries,
    Form,
    FormOf,
    ListOf,
    MapOf,
    OrWord,
    Said,
    Variant,
    Word,
    said_or,
)
from laurels.core.program.model import ExpiryRule, HoldsUntil, Metric, Texts, Tier, Track, Window
from laurels.core.program.values import (
    ACTIVITY_TYPE,
    DOTTED,
    FACTOR_MOST,
    ID,
    MONTH_DAY,
    NAME,
    SPAN,
    TEXTS,
    number,
    whole,
)
from laurels.core.program.wallets import EXPIRES, ExpiryForm, note_expiry_conflicts, resolve_expiry, span_or_none
from laurels.core.program.within import resolve_tier


class EarnedForm(Form):
    """A measure of points: how many were earned into a wallet, net of what returns took back."""

    earned = Word(NAME, "the wallet", required=True)
    pending = Word(Choice("counts", "waits"), "whether points count while they are still pending; they wait by default")


class SpentForm(Form):
    """A measure of money: what purchases came to, net of returns."""

    spent = Word(Choice("net"), "net: as paid, after discounts", required=True)


class CountForm(Form):
    """A measure of visits: how many activities of a type there were."""

    count = Word(ACTIVITY_TYPE, "the activity type, such as purchase", required=True)


class SumForm(Form):
    """A measure of a field: its sum over activities of a type."""

    sum = Word(DOTTED, "the activity type and its field, such as custom.stay.nights", required=True)


class YearsForm(Form):
    """A measure of years on a tier: how many ended with the member on it, or above it."""

    years = Word(DOTTED, "the tier, as track.tier, such as membership.gold", required=True)


MetricForm = EarnedForm | SpentForm | CountForm | SumForm | YearsForm

_METRICS: Final[dict[str, type[MetricForm]]] = {
    "earned": EarnedForm,
    "spent": SpentForm,
    "count": CountForm,
    "sum": SumForm,
    "years": YearsForm,
}
METRIC: Final = Variant[MetricForm]("a measure", _METRICS)


class AllForm(Form):
    """Several measures of which all must be reached: thresholds are then lists."""

    all = Word(ListOf(METRIC, least=1, most=8), "the measures", required=True)


class AnyForm(Form):
    """Several measures of which one must be reached: thresholds are then lists."""

    any = Word(ListOf(METRIC, least=1, most=8), "the measures", required=True)


MeasureForm = AllForm | AnyForm | MetricForm

MEASURE: Final = Variant[MeasureForm]("a measure", {"all": AllForm, "any": AnyForm, **_METRICS})


class YearForm(Form):
    """A window of years: they begin on a day of your choice."""

    year_from = Word(MONTH_DAY, 'the first day of the year, such as "03-01"', required=True)


class RollingForm(Form):
    """A rolling window: the time just passed."""

    rolling = Word(SPAN, "how long it reaches back, such as 12M", required=True)


WINDOW: Final = Either(
    Choice("calendar_year", "anniversary", "lifetime"),
    Variant[YearForm | RollingForm]("a window", {"year_from": YearForm, "rolling": RollingForm}),
)


class HoldsForm(Form):
    """A standing: until when a tier holds once it is reached."""

    end_of = Word(Choice("this_window", "next_window"), "the window at whose end it ends; next_window by default")
    windows = Word(whole(0, 100), "in place of end_of: how many windows after the one in which it was reached")
    plus = Word(SPAN, "how much longer")


class TierForm(Form):
    """A tier: a rung of a track, the lowest first."""

    id = Word(ID, "its permanent id", required=True)
    name = Word(TEXTS, "what it is called, by language")
    enter = Word(ListOf(number(), or_one=True, most=8), "what it takes to enter it, one threshold for each measure")
    keep = Word(ListOf(number(), or_one=True, most=8), "what it takes to keep it; as much as to enter it by default")
    multiply = Word(MapOf(NAME, number(1, FACTOR_MOST)), "by wallet: what earned points are multiplied by")
    expires = Word(MapOf(NAME, EXPIRES), "by wallet: another expiry for points earned in this tier")
    benefits = Word(
        MapOf(ID, TEXTS, most=100), "what else members are entitled to, by id; the tiers above it have it, too"
    )
    was = Word(ID, "the id it had in the version before")


class TrackForm(Form):
    """A track: a ladder of tiers."""

    name = Word(TEXTS, "what it is called, by language")
    measure = Word(MEASURE, "what is measured", required=True)
    window = Word(WINDOW, "the time over which it is measured; calendar_year by default")
    holds_until = Word(
        Either(Choice("this_window", "next_window"), FormOf(HoldsForm)),
        "until when a tier holds once reached; the end of the next window by default",
    )
    fall = Word[Literal["to_earned", "one_step", "never"]](
        Choice("to_earned", "one_step", "never"), "how far members fall who do not keep their tier"
    )
    grace = Word(OrWord("none", SPAN), "how much later they fall; none by default")
    on_return = Word[Literal["stay", "fall_back"]](
        Choice("stay", "fall_back"), "whether a return that takes away what a tier was reached with ends it at once"
    )
    tiers = Word(ListOf(FormOf(TierForm), least=1, most=50), "the tiers, the lowest first", required=True)
    was = Word(ID, "the id it had in the version before")


def resolve_track(track: str, form: TrackForm, frame: Frame) -> Track:
    """The track that a form describes, with findings on measures, thresholds and benefits."""
    need, metrics = _measure(form.measure, frame)
    window = _window(form.window)
    _note_idle_words(form, window, frame)
    return Track(
        id=track,
        name=frame.texts(form.name, track),
        metrics=metrics,
        window=window,
        tiers=_tiers(form.tiers, metrics, frame),
        need=need,
        holds_until=_holds_until(form.holds_until, frame),
        fall=said_or(form.fall, "to_earned"),
        grace=span_or_none(form.grace),
        on_return=said_or(form.on_return, "stay"),
        was=form.was.value,
    )


def _measure(said: Said[MeasureForm], frame: Frame) -> tuple[Literal["all", "any"], tuple[Metric, ...]]:
    match said.value:
        case None:
            return "all", ()
        case AllForm() as form:
            return "all", tuple(_metric(each.value, frame) for each in said_or(form.all, ()) if each.value)
        case AnyForm() as form:
            return "any", tuple(_metric(each.value, frame) for each in said_or(form.any, ()) if each.value)
        case form:
            return "all", (_metric(form, frame),)


def _metric(form: MetricForm, frame: Frame) -> Metric:
    match form:
        case EarnedForm():
            frame.has_wallet(form.earned.value, form.earned.node)
            return Metric("earned", said_or(form.earned, ""), include_pending=form.pending.value == "counts")
        case SpentForm():
            return Metric("spent")
        case CountForm():
            frame.has_trigger(form.count.value, form.count.node)
            return Metric("count", said_or(form.count, ""))
        case SumForm():
            activity_type, _, field = said_or(form.sum, "").rpartition(".")
            if form.sum.value is not None:
                note_number_field(activity_type, field, form.sum.node, frame)
            return Metric("sum", activity_type, field)
        case YearsForm():
            track, _, tier = said_or(form.years, "").rpartition(".")
            return Metric("years", track, tier)


def note_years(form: TrackForm, frame: Frame) -> None:
    """Findings where years are counted on what is no tier, once all tracks are known."""
    for each in _metric_forms(form.measure.value):
        if isinstance(each, YearsForm) and each.years.value is not None:
            resolve_tier(each.years.value, each.years.node, "name a higher tier", frame)


def _metric_forms(form: MeasureForm | None) -> list[MetricForm]:
    match form:
        case None:
            return []
        case AllForm():
            said = said_or(form.all, ())
        case AnyForm():
            said = said_or(form.any, ())
        case _:
            return [form]
    return [each.value for each in said if each.value is not None]


def note_number_field(activity_type: str, field: str, at: Node, frame: Frame) -> None:
    """Findings unless `field` is a declared int or decimal field of that activity type."""
    if not activity_type:
        frame.notes.error(
            "unknown_field", at, f"{shown(field)} names no field", "write type.field, as in custom.stay.nights"
        )
    elif frame.has_trigger(activity_type, at):
        fields = {each.name: each.type for each in frame.fields.get(activity_type, ())}
        if frame.has("field", field, fields, at) and fields[field] not in ("int", "decimal"):
            message = f"{shown(field)} is a {fields[field]}, which has no sum"
            frame.notes.error("not_a_number", at, message, "only fields of type int or decimal can be added up")


def _window(said: Said[str | YearForm | RollingForm]) -> Window:
    match said.value:
        case YearForm() as form:
            month, day = said_or(form.year_from, (1, 1))
            return Window("year", month, day)
        case RollingForm() as form:
            return Window("rolling", length=said_or(form.rolling, Duration(months=12)))
        case "anniversary":
            return Window("anniversary")
        case "lifetime":
            return Window("lifetime")
        case _:
            return Window("year")


def _holds_until(said: Said[str | HoldsForm], frame: Frame) -> HoldsUntil:
    form = said.value
    if not isinstance(form, HoldsForm):
        return HoldsUntil(0 if form == "this_window" else 1)
    if form.end_of.is_said and form.windows.is_said:
        message = "windows and end_of say the same thing in two ways"
        frame.notes.error("contradiction", form.windows.node, message, "keep one of them")
    return HoldsUntil(said_or(form.windows, 0 if form.end_of.value == "this_window" else 1), form.plus.value)


def _note_idle_words(form: TrackForm, window: Window, frame: Frame) -> None:
    if window.kind == "lifetime":
        for said in (form.holds_until, form.grace):
            if said.is_said:
                message = "with window: lifetime nothing ends, so that this says nothing"
                frame.notes.error("endless_window", said.node, message, "leave it out, or choose another window")
    elif form.fall.value == "never" and form.grace.is_said:
        message = "with fall: never nobody falls, so that grace says nothing"
        frame.notes.warning("idle_word", form.grace.node, message, "leave it out")


def _tiers(said: Said[tuple[Said[TierForm], ...]], metrics: tuple[Metric, ...], frame: Frame) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    for place, each in enumerate(said_or(said, ())):
        form = each.value
        if form is None or form.id.value is None:
            continue
        if any(tier.id == form.id.value for tier in tiers):
            frame.notes.error(
                "duplicate_id", form.id.node, f"there is already a tier {shown(form.id.value)}", "rename one"
            )
        tiers.append(_tier(form, place == 0, tiers[-1] if tiers else None, metrics, frame))
    return tuple(tiers)


def _tier(form: TierForm, is_first: bool, below: Tier | None, metrics: tuple[Metric, ...], frame: Frame) -> Tier:
    tier = said_or(form.id, "")
    enter = _thresholds(form.enter, metrics, frame)
    keep = _thresholds(form.keep, metrics, frame)
    if is_first:
        for said in (form.enter, form.keep):
            if said.is_said:
                hint = "leave it out: everybody begins on the first tier"
                frame.notes.error("first_tier", said.node, "the first tier has no threshold", hint)
        enter = keep = ()
    elif not form.enter.is_said:
        hint = "every tier but the first says what it takes to enter it"
        frame.notes.error("missing_word", form.node, f'tier {shown(tier)} needs "enter"', hint)
    elif below is not None and enter and below.enter and not _is_harder(enter, below.enter):
        message = f"{shown(tier)} is not harder to enter than {shown(below.id)} below it"
        frame.notes.error("not_rising", form.enter.node, message, "thresholds rise from tier to tier")
    if enter and keep and any(needed > entered for needed, entered in zip(keep, enter, strict=True)):
        message = f"{shown(tier)} is harder to keep than to enter"
        frame.notes.error("keep_above_enter", form.keep.node, message, "keep is at most enter")
    multiply, expires = _benefits(form, frame)
    name = frame.texts(form.name, tier)
    return Tier(tier, name, enter, keep or enter, multiply, expires, form.was.value, _entitled(form, below, frame))


def _entitled(form: TierForm, below: Tier | None, frame: Frame) -> dict[str, Texts]:
    """The benefits of the tier below, and its own, which may say another text under an id from below."""
    entitled = dict(below.benefits) if below is not None else {}
    for benefit, text, entry in said_or(form.benefits, Entries[str, str | Entries[str, str]]()).readable():
        entitled[benefit] = frame.texts(Said(text, entry.node), benefit)
    return entitled


def _is_harder(enter: tuple[int, ...], below: tuple[int, ...]) -> bool:
    return enter != below and all(low <= high for low, high in zip(below, enter, strict=True))


def _thresholds(said: Said[tuple[Said[Decimal], ...]], metrics: tuple[Metric, ...], frame: Frame) -> tuple[int, ...]:
    """One threshold for each metric, in its unit; nothing where the document does not say one that is sound."""
    if not said.value or not metrics:
        return ()
    if len(said.value) != len(metrics):
        message = f"there are {len(metrics)} measures, and here {len(said.value)} thresholds"
        hint = "write one number" if len(metrics) == 1 else f"write a list of {len(metrics)} numbers"
        frame.notes.error("wrong_length", said.node, message, hint)
        return ()
    thresholds = []
    for metric, each in zip(metrics, said.value, strict=True):
        if each.value is None:
            return ()
        thresholds.append(_threshold(metric, each.value, each.node, frame))
    return tuple(thresholds)


def _threshold(metric: Metric, value: Decimal, at: Node, frame: Frame) -> int:
    if metric.kind == "spent":
        return frame.money(value, at)
    if metric.kind == "sum":
        return frame.millionths(value, at)
    if value != value.to_integral_value():
        frame.notes.error("bad_number", at, f"{value} is not a whole number", "points and counts are whole")
    return int(value)


def _benefits(form: TierForm, frame: Frame) -> tuple[dict[str, Rate], dict[str, ExpiryRule]]:
    multiply: dict[str, Rate] = {}
    expires: dict[str, ExpiryRule] = {}
    for wallet, factor, entry in said_or(form.multiply, Entries[str, Decimal]()).readable():
        if frame.has_wallet(wallet, entry.key_node):
            multiply[wallet] = frame.rate(factor)
    for wallet, rule, override in said_or(form.expires, Entries[str, str | ExpiryForm]()).readable():
        if frame.has_wallet(wallet, override.key_node):
            expires[wallet] = resolve_expiry(Said(rule, override.node), frame)
            note_expiry_conflicts(frame.wallets[wallet], expires[wallet], override.node, frame)
    return multiply, expires
