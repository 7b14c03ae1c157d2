"""What a captured redemption of a reward gives: the one place where every kind of reward is given.

Goods, services, experiences and what partners give are nothing that the member's state holds: their fulfilment says how
far they have come. A donation was credited to its cause when the points were set aside. The terms are those of the
version by which the points were set aside, whatever the program says by now. Only a voucher is of a kind as it is now:
one of a kind that is gone could not be used, so that nobody pays for it.
"""

from __future__ import annotations

from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, rule_for
from laurels.core.member import Redemption
from laurels.core.opening import add
from laurels.core.program.model import Never
from laurels.core.program.rewards_model import IssuedVoucher, Reward, StoredValue, Tickets, TierPass
from laurels.core.refusal import Refusal
from laurels.core.ticket import grant
from laurels.core.tier_pass import begin_pass
from laurels.core.voucher import issue, withdrawn


def terms_of(case: Case, redemption: Redemption) -> Reward:
    """The reward as it was when its points were set aside."""
    assert redemption.reward is not None
    return case.versions.reward(redemption.reward, redemption.held_at)


def cannot_give(case: Case, compiled: Compiled, held: Redemption) -> Refusal | None:
    """A refusal where what is held for is a voucher of a kind that nobody gets any more."""
    gives = terms_of(case, held).gives
    if not isinstance(gives, IssuedVoucher):
        return None
    return withdrawn(case, compiled, _key_of(case, gives, held), gives.voucher)


def give(case: Case, compiled: Compiled, redemption: str, held: Redemption) -> None:
    """Gives the member what the points of a redemption were spent for."""
    gives = terms_of(case, held).gives
    match gives:
        case StoredValue():
            _store(case, compiled, gives, redemption, held.quantity)
        case TierPass():
            begin_pass(case, compiled, gives, case.at, held.quantity)
        case Tickets():
            why = grant(case, compiled, gives.draw, gives.count * held.quantity, redemption=redemption)
            assert why is None, f"{redemption} was let through in spite of {why}"
        case IssuedVoucher():
            key = _key_of(case, gives, held)
            for n in range(gives.count * held.quantity):
                issue(case, compiled, key, "reward", f"{redemption} {n}", redemption=redemption)
        case _:
            pass


def _key_of(case: Case, gives: IssuedVoucher, held: Redemption) -> str:
    """The key of a kind of voucher, which may have another id by now."""
    return case.versions.judging(held.held_at).voucher_keys[gives.voucher]


def _store(case: Case, compiled: Compiled, gives: StoredValue, redemption: str, quantity: int) -> None:
    """Money goes into a wallet, as a lot with that wallet's expiry, at once."""
    wallet = case.versions.wallet(case.versions.current(gives.wallet, case.at), case.at)
    rule, tier = rule_for(compiled, wallet, case.tiers_at(case.at))
    by_tier = tier if isinstance(rule, Never) else None
    add(
        case, compiled, wallet, gives.points * quantity, case.at, expiry_of(compiled, rule, case.at), "redemption",
        gives.kind, by_tier, "issuance", redemption,
    )  # fmt: skip
