"""What a captured redemption of a reward gives: the one place where every kind of reward is given.

Goods, services, experiences and what partners give are nothing that the member's state holds: their fulfilment says how
far they have come. A donation was credited to its cause when the points were set aside. The terms are those of the
version by which the points were set aside, whatever the program says by now.
"""

from __future__ import annotations

from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, rule_for
from laurels.core.member import Redemption
from laurels.core.opening import add
from laurels.core.program.model import Never
from laurels.core.program.rewards_model import IssuedVoucher, Reward, StoredValue, Tickets, TierPass
from laurels.core.ticket import grant
from laurels.core.tier_pass import begin_pass


def terms_of(case: Case, redemption: Redemption) -> Reward:
    """The reward as it was when its points were set aside."""
    assert redemption.reward is not None
    return case.versions.reward(redemption.reward, redemption.held_at)


def give(case: Case, compiled: Compiled, redemption: str, held: Redemption) -> None:
    """Gives the member what the points of a redemption were spent for."""
    gives = terms_of(case, held).gives
    match gives:
        case StoredValue():
            _store(case, compiled, gives, redemption, held.quantity)
        case TierPass():
            for _ in range(held.quantity):
                begin_pass(case, compiled, gives, case.at)
        case Tickets():
            why = grant(case, compiled, gives.draw, gives.count * held.quantity, redemption=redemption)
            assert why is None, f"{redemption} was let through in spite of {why}"
        case IssuedVoucher():
            raise AssertionError(f"nothing gives a {gives.kind} yet")
        case _:
            pass


def _store(case: Case, compiled: Compiled, gives: StoredValue, redemption: str, quantity: int) -> None:
    """Money goes into a wallet, as a lot with that wallet's expiry, at once."""
    wallet = case.versions.wallet(case.versions.current(gives.wallet, case.at), case.at)
    rule, tier = rule_for(compiled, wallet, case.tiers_at(case.at))
    by_tier = tier if isinstance(rule, Never) else None
    add(
        case, compiled, wallet, gives.points * quantity, case.at, expiry_of(compiled, rule, case.at), "redemption",
        gives.kind, by_tier, "issuance", redemption,
    )  # fmt: skip
