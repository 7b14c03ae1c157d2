"""A program shown in the words of the document is that program: the words are read back as the same values."""

import json

import pytest

from laurels.core.calendar import Zone, format_instant
from laurels.core.money import Rate
from laurels.core.program import notation, rewards_notation
from laurels.core.program.draws_model import Draw, Prize
from laurels.core.program.model import Campaign, Program, Promotion, Segment, Tier, Track, Wallet
from laurels.core.program.rewards_model import Cause, Reward
from laurels.core.program.vouchers_model import Voucher
from tests.core.program.documents import DOCUMENTS, sound


def wallet(each: Wallet, program: Program) -> str:
    spending = {
        "when_spent": notation.when_spent(each.when_spent, each.debt_limit, each.freeze),
        "restore_grace": notation.duration(each.restore_grace) if each.restore_grace else None,
        "hold": str(each.hold),
        "money": notation.points_as_money(each.money, program.currency) if each.money else None,
    }
    words = {
        "name": json.dumps(each.name),
        "spendable": notation.truth(each.spendable),
        "pending": notation.pending(each.pending),
        "expires": notation.expiry(each.expires),
        "was": each.was,
    }
    return notation.form({**words, **(spending if each.spendable else {})})


def track(each: Track, program: Program) -> str:
    words = {
        "name": json.dumps(each.name),
        "measure": notation.measure(each.metrics, each.need),
        "window": notation.window(each.window),
        "holds_until": notation.holds_until(each.holds_until) if each.window.kind != "lifetime" else None,
        "fall": each.fall,
        "grace": notation.duration(each.grace) if each.grace else None,
        "on_return": each.on_return,
        "was": each.was,
        "tiers": notation.listed(tier(rung, each, program) for rung in each.tiers),
    }
    return notation.form(words)


def tier(each: Tier, of: Track, program: Program) -> str:
    multiply = {name: notation.rate(factor) for name, factor in each.multiply.items()}
    expires = {name: notation.expiry(rule) for name, rule in each.expires.items()}
    words = {
        "id": each.id,
        "name": json.dumps(each.name),
        "enter": notation.threshold(each.enter, of.metrics, program.currency) if each.enter else None,
        "keep": notation.threshold(each.keep, of.metrics, program.currency) if each.keep else None,
        "multiply": notation.form(multiply),
        "benefits": notation.form({name: json.dumps(text) for name, text in each.benefits.items()}),
        "expires": notation.form(expires),
        "was": each.was,
    }
    return notation.form(words)


def segment(each: Segment) -> str:
    return notation.form({"name": json.dumps(each.name), "when": json.dumps(each.when.text)})


def campaign(each: Campaign, program: Program) -> str:
    during = notation.during(each.during, Zone(program.time_zone))
    words = {
        "name": json.dumps(each.name),
        "on": each.on,
        "during": None if during == "always" else during,
        "within": None if each.within is None else notation.within(each.within),
        "reaches": None if each.reaches is None else notation.reach(each.reaches),
        "keeps": None if each.keeps is None else notation.reach(each.keeps),
        "when": json.dumps(each.when.text) if each.when else None,
        "lines": json.dumps(each.lines.text) if each.lines else None,
        "grant": notation.listed(
            [*[notation.grant(grant, program.currency) for grant in each.grants], *gifts(each)],
        ),
        "limits": notation.listed(map(notation.limit, each.limits)) if each.limits else None,
        "priority": str(each.priority),
        "was": each.was,
    }
    return notation.form(words)


def gifts(each: Campaign) -> list[str]:
    return [notation.gifts(each.gifts)[1:-1]] if each.gifts else []


def promotion(each: Promotion, program: Program) -> str:
    during = notation.during(each.during, Zone(program.time_zone))
    limits = notation.listed(notation.promotion_limit(limit, program.currency) for limit in each.limits)
    floor = notation.floor(each.offer.floor)
    words = {
        "name": json.dumps(each.name),
        "gives": notation.gives(each.offer.gives, program.currency),
        "lines": json.dumps(each.offer.lines.text) if each.offer.lines else None,
        "floor": None if floor == "none" else floor,
        "round": each.offer.round.value if each.takes_money_off else None,
        "during": None if during == "always" else during,
        "when": json.dumps(each.when.text) if each.when else None,
        "stores": notation.listed(each.stores) if each.stores else None,
        "channels": notation.listed(each.channels) if each.channels else None,
        "limits": limits if each.limits else None,
        "priority": str(each.priority),
        "was": each.was,
    }
    return notation.form(words)


def reward(each: Reward, program: Program) -> str:
    during, currency = notation.during(each.during, Zone(program.time_zone)), program.currency
    gives = rewards_notation.gives(each.gives, rewards_notation.worths(program.wallets), currency)
    prices = [rewards_notation.price(price, currency) for price in each.prices]
    words = {
        "name": json.dumps(each.name),
        "about": json.dumps(each.about) if each.about else None,
        "picture": each.picture,
        "gives": gives,
        "price": prices[-1],
        "prices": notation.listed(prices[:-1]) if prices[:-1] else None,
        "mix": rewards_notation.mix(each.mix, currency) if each.mix else None,
        "value": rewards_notation.value(each.value, currency) if each.value is not None else None,
        "stock": str(each.stock) if each.stock is not None else None,
        "limits": notation.listed(map(rewards_notation.limit, each.limits)) if each.limits else None,
        "during": None if during == "always" else during,
        "when": json.dumps(each.when.text) if each.when else None,
        "visible": json.dumps(each.visible.text) if each.visible else None,
        "hold": notation.duration(each.hold),
        "fulfilment": rewards_notation.fulfilment(each.fulfilment) if each.fulfilment is not None else None,
        "automatic": str(each.automatic) if each.automatic is not None else None,
        "was": each.was,
    }
    return notation.form(words)


def prize(each: Prize, program: Program) -> str:
    gives = {"wallet": each.wallet, "points": str(each.points)} if each.wallet else {"voucher": each.voucher}
    words = {
        "name": json.dumps(each.name),
        "value": None if each.value is None else notation.money(each.value, program.currency),
        "quantity": None if each.quantity is None else str(each.quantity),
        "odds": None if each.odds is None else f"{each.odds.numerator}/{each.odds.denominator}",
        "gives": notation.form(gives) if each.is_given else None,
    }
    return notation.form(words)


def cause(each: Cause) -> str:
    words = {
        "name": json.dumps(each.name),
        "about": json.dumps(each.about) if each.about else None,
        "picture": each.picture,
        "yearly": str(each.yearly) if each.yearly is not None else None,
        "was": each.was,
    }
    return notation.form(words)


def draw(each: Draw, program: Program) -> str:
    zone = Zone(program.time_zone)
    changes = [
        notation.form({"at": format_instant(made.at, zone), "reason": json.dumps(made.reason)})
        for made in each.amendments
    ]
    words = {
        "name": json.dumps(each.name),
        "kind": each.kind,
        "opens": format_instant(each.opens_at, zone),
        "closes": format_instant(each.closes_at, zone),
        "draws_at": None if each.draws_at is None else format_instant(each.draws_at, zone),
        "prizes": notation.form({one.id: prize(one, program) for one in each.prizes}),
        "fallback": None if each.fallback is None else prize(each.fallback, program),
        "wins": "unlimited" if each.wins_most is None else str(each.wins_most),
        "alternates": str(each.alternates) if each.alternates else None,
        "exclude": json.dumps(each.exclude.text) if each.exclude else None,
        "claim": notation.duration(each.claim) if each.claim else None,
        "rules": json.dumps(each.rules) if each.rules else None,
        "changes": notation.listed(changes) if changes else None,
    }
    return notation.form(words)


def voucher(each: Voucher, program: Program) -> str:
    zone = Zone(program.time_zone)
    during, floor = notation.during(each.during, zone), notation.floor(each.offer.floor)
    words = {
        "name": json.dumps(each.name),
        "gives": notation.gives(each.offer.gives, program.currency),
        "lines": json.dumps(each.offer.lines.text) if each.offer.lines else None,
        "floor": None if floor == "none" else floor,
        "round": each.offer.round.value,
        "code": notation.listed(each.codes) if each.codes else None,
        "expires": notation.voucher_expiry(each.expires, zone) if each.expires else None,
        "when": json.dumps(each.when.text) if each.when else None,
        "during": None if during == "always" else during,
        "limits": notation.listed(map(notation.limit, each.limits)) if each.limits else None,
        "per_order": str(each.per_order),
        "transferable": notation.truth(each.transferable),
        **({} if each.restore_grace is None else {"restore_grace": notation.duration(each.restore_grace)}),
        "on_return": each.on_return,
        "hold": str(each.hold),
        "was": each.was,
    }
    return notation.form(words)


def written(program: Program) -> str:
    groups = {
        each.id: notation.form(
            {"mode": each.mode, "of": notation.listed(each.of), "priority": str(each.priority), "was": each.was}
        )
        for each in program.groups
    }
    fields = {
        scope: notation.form({field.name: notation.field(field) for field in fields})
        for scope, fields in program.fields.items()
    }
    words = {
        "program": program.id,
        "name": json.dumps(program.name),
        "time_zone": program.time_zone,
        "currency": program.currency.code,
        "late_horizon": str(program.late_horizon),
        "fields": notation.form(fields),
        "wallets": notation.form({each.id: wallet(each, program) for each in program.wallets}),
        "tracks": notation.form({each.id: track(each, program) for each in program.tracks}),
        "segments": notation.form({each.id: segment(each) for each in program.segments}),
        "campaigns": notation.form({each.id: campaign(each, program) for each in program.campaigns}),
        "jurisdiction": program.jurisdiction or "none",
        "draws": notation.form({each.id: draw(each, program) for each in program.draws}),
        "groups": notation.form(groups),
        "vouchers": notation.form({each.id: voucher(each, program) for each in program.vouchers}),
        "promotions": notation.form({each.id: promotion(each, program) for each in program.promotions}),
        "quote_hold": str(program.quote_hold),
        "causes": notation.form({each.id: cause(each) for each in program.causes}),
        "rewards": notation.form({each.id: reward(each, program) for each in program.rewards}),
        "retired": notation.form(
            {"wallets": notation.form(program.retired.wallets), "tiers": notation.form(program.retired.tiers)}
        ),
    }
    return notation.form(words)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_program_in_the_words_of_the_document_is_read_back_as_itself(name: str) -> None:
    program = sound(DOCUMENTS[name])
    assert sound(written(program)) == program


def test_a_number_without_a_decimal_is_a_fraction() -> None:
    assert [notation.rate(Rate(*each)) for each in ((5, 4), (2, 1), (1, 3), (1, 1_000_000))] == [
        "1.25",
        "2",
        "1/3",
        "0.000001",
    ]
