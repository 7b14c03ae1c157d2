"""Vouchers that give points: promotions on the orders that use them.

Limits, times and conditions are those of the voucher's use, so that the points follow from the use alone: granted,
explained and taken back as those of any promotion, under the name `voucher/<id>`. Orders without such a voucher are
judged as if there were none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from laurels.core.compiled import Compiled, Trigger, as_campaigns
from laurels.core.member import Purchased
from laurels.core.money import Rate
from laurels.core.program.model import Campaign, Program, Promotion
from laurels.core.program.offers_model import Multiplier, Offer, Points
from laurels.core.program.vouchers_model import Voucher

REMEMBERED_MOST: Final = 256
"""Combinations of such vouchers of which a version remembers the campaigns."""


def with_vouchers(compiled: Compiled, points: tuple[str, ...]) -> Trigger | None:
    """The campaigns of an order that uses vouchers of these kinds, by key, as often as each is named."""
    known = compiled.voucher_triggers
    trigger = known.get(points)
    if trigger is None:
        used = [
            _promotion(compiled.vouchers[key].voucher, times)
            for key, times in Counter(points).items()
            if key in compiled.vouchers
        ]
        if not used:
            return compiled.trigger("purchase")
        program = compiled.program
        program = msgspec.structs.replace(program, promotions=(*program.promotions, *used))
        trigger = Trigger(program, "purchase", compiled.campaign_keys)
        if len(known) < REMEMBERED_MOST:
            known[points] = trigger
    return trigger


def used_by(compiled: Compiled, recorded: Purchased) -> tuple[str, ...]:
    """The kinds of vouchers that gave points to a recorded purchase, by key."""
    keys = [each.voucher for each in recorded.redeemed if each.voucher in compiled.vouchers]
    return tuple(sorted([key for key in keys if isinstance(compiled.vouchers[key].gives, Multiplier | Points)]))


def campaigns_of(program: Program, vouchers: Iterable[Voucher]) -> tuple[Campaign, ...]:
    """These vouchers as campaigns, as far as they give points."""
    promotions = [_promotion(each) for each in vouchers if isinstance(each.offer.gives, Multiplier | Points)]
    return as_campaigns(msgspec.structs.replace(program, promotions=tuple(promotions)))


def _promotion(voucher: Voucher, times: int = 1) -> Promotion:
    gives = voucher.offer.gives
    if isinstance(gives, Points):
        gives = Points(gives.wallet, gives.points * times)
    elif isinstance(gives, Multiplier):
        by = gives.by
        gives = Multiplier(gives.wallet, Rate(by.denominator + (by.numerator - by.denominator) * times, by.denominator))
    return Promotion(f"voucher/{voucher.id}", voucher.name, Offer(gives, voucher.offer.lines))
