"""What a new version changes about draws: told aspect by aspect, and refused where it is changed without a reason.

Once a draw is published its terms are a promise: they change only with a reason in the document, which is published
with them, and not at all after entries have closed.
"""

from __future__ import annotations

import msgspec

from laurels.core.calendar import Instant, Zone, format_instant
from laurels.core.money import Currency
from laurels.core.program import notation
from laurels.core.program.change import Aspect, Changes, Everyone, Subject
from laurels.core.program.draws_model import Draw, Prize
from laurels.core.program.model import Program
from laurels.core.program.wording import thing
from laurels.core.segment import are_read


def compare_draws(old: Program, new: Program, changes: Changes) -> None:
    """Notes what changes about draws."""
    before = {draw.id: draw for draw in old.draws}
    after = {draw.id: draw for draw in new.draws}
    for draw in old.draws:
        if draw.id not in after:
            changes.removed(Subject(thing("draw", draw.name), f"/draws/{draw.id}"), Everyone())
    aspects = _aspects(Zone(new.time_zone), new.currency)
    for draw in new.draws:
        subject = Subject(thing("draw", draw.name), f"/draws/{draw.id}")
        if draw.id not in before:
            changes.added(subject)
            continue
        for aspect in aspects:
            changes.compare(subject, aspect, before[draw.id], draw, Everyone())


def _aspects(zone: Zone, currency: Currency) -> tuple[Aspect[Draw], ...]:
    def at(instant: Instant | None) -> str:
        return "none" if instant is None else format_instant(instant, zone)

    def prizes(value: tuple[Prize, ...]) -> str:
        return notation.listed(_prize(each, currency) for each in value)

    return (
        Aspect("name", lambda draw: draw.name, notation.form),
        Aspect("kind", lambda draw: str(draw.kind), takes_away=_always),
        Aspect("opens", lambda draw: draw.opens_at, at, lambda was, now: now > was),
        Aspect("closes", lambda draw: draw.closes_at, at, lambda was, now: now < was),
        Aspect("draws_at", lambda draw: draw.draws_at, at, lambda was, now: (now or 0) > (was or 0)),
        Aspect("prizes", lambda draw: draw.prizes, prizes, _gives_less),
        Aspect("fallback", lambda draw: draw.fallback, lambda each: "none" if each is None else _prize(each, currency),
               _always),
        Aspect("wins", lambda draw: draw.wins_most, lambda most: "unlimited" if most is None else str(most)),
        Aspect("alternates", lambda draw: draw.alternates),
        Aspect("exclude", lambda draw: notation.condition(draw.exclude), takes_away=_always),
        Aspect("claim", lambda draw: draw.claim, notation.duration, _always),
        Aspect("rules", lambda draw: draw.rules,
               lambda rules: notation.form({word: notation.form(said) for word, said in rules.items()})),
        Aspect("changes", lambda draw: draw.amendments,
               lambda made: notation.listed(
                   notation.form({"at": at(each.at), "reason": notation.form(each.reason)}) for each in made
               )),
    )  # fmt: skip


def _always(_was: object, _now: object) -> bool:
    return True


def _prize(prize: Prize, currency: Currency) -> str:
    gives = None if prize.wallet is None else notation.form({"wallet": prize.wallet, "points": str(prize.points)})
    if prize.voucher is not None:
        gives = notation.form({"voucher": prize.voucher})
    odds = None if prize.odds is None else f"{prize.odds.numerator}/{prize.odds.denominator}"
    value = None if prize.value is None else notation.money(prize.value, currency)
    quantity = None if prize.quantity is None else str(prize.quantity)
    name = None if prize.name == {"en": prize.id} else notation.form(prize.name)
    return notation.form(
        {"id": prize.id, "name": name, "value": value, "quantity": quantity, "odds": odds, "gives": gives}
    )


def _gives_less(was: tuple[Prize, ...], now: tuple[Prize, ...]) -> bool:
    """Whether a prize is gone, rarer, or worth less."""
    after = {prize.id: prize for prize in now}
    return any(prize.id not in after or _is_less(prize, after[prize.id]) for prize in was)


def _is_less(was: Prize, now: Prize) -> bool:
    fewer = now.quantity is not None and (was.quantity is None or now.quantity < was.quantity)
    cheaper = (now.value or 0) < (was.value or 0) or now.points < was.points
    if was.odds is None or now.odds is None:
        return fewer or cheaper
    rarer = now.odds.numerator * was.odds.denominator < was.odds.numerator * now.odds.denominator
    return fewer or cheaper or rarer


def broken_promises(
    old: Program, new: Program, now: Instant, effective_at: Instant | None = None
) -> tuple[tuple[str, str], ...]:
    """Draws that the new version may not change like this, and why: "needs_reason", "draw_closed" or "draw_opened".

    What is announced must come true, so what counts is the instant at which the new version takes effect (now, if
    nothing is said): by then a draw is open yet whose terms change, and has not opened where its opening is moved or
    a turn of it could win something else, for turns were taken on the terms that it had. Who is excluded by segments
    is excluded by other terms when the conditions of segments change.
    """
    at = max(now, effective_at or now)
    after = {draw.id: draw for draw in new.draws}
    conditions = [{each.id: each.when for each in program.segments} for program in (old, new)]
    segments_change = conditions[0] != conditions[1]
    found: list[tuple[str, str]] = []
    for was in old.draws:
        is_now = after.get(was.id)
        is_closed = at >= was.closes_at
        excludes_others = segments_change and not is_closed and are_read((was.exclude,))
        if (is_now == was and not excludes_others) or (is_now is None and is_closed):
            continue
        said = is_now is not None and is_now.amendments[: len(was.amendments)] == was.amendments
        same = is_now is not None and said and _without_reasons(is_now) == _without_reasons(was)
        if same and not excludes_others:
            continue
        if is_closed or (is_now is not None and is_now.closes_at <= at):
            found.append((was.id, "draw_closed"))
        elif is_now is not None and was.opens_at < at and _is_begun_otherwise(was, is_now):
            found.append((was.id, "draw_opened"))
        elif is_now is None or not said or len(is_now.amendments) == len(was.amendments):
            found.append((was.id, "needs_reason"))
    return tuple(found)


def _is_begun_otherwise(was: Draw, is_now: Draw) -> bool:
    if is_now.opens_at != was.opens_at or is_now.kind != was.kind:
        return True
    return was.kind == "instant" and _turns(was) != _turns(is_now)


def _turns(draw: Draw) -> list[Prize]:
    prizes = (*draw.prizes, draw.fallback) if draw.fallback is not None else draw.prizes
    return [msgspec.structs.replace(prize, name={}) for prize in prizes]


def _without_reasons(draw: Draw) -> Draw:
    return msgspec.structs.replace(draw, amendments=())
