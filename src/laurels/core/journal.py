"""The journal: every movement of points that an activity brought about, read off its facts as balanced entries.

An entry moves points from one account of a wallet to another, so it sums to zero by construction. The member's accounts
are pending, available, held and debt; the system's are issuance, redemption, breakage, in_transit, adjustment and
write_off, which have no balance of their own and are rolled up when read.
"""

from __future__ import annotations

from collections.abc import Iterable

from laurels.core.facts import MEMBER_ACCOUNTS, Accrued, AnyFact, LotActivated, LotsExpired, Moved, WalletCarried


def entries(facts: Iterable[AnyFact]) -> list[Moved]:
    """The entries of an activity in order; an entry's number is its place here."""
    found: list[Moved] = []
    for fact in facts:
        if isinstance(fact, Moved):
            found.append(fact)
        elif isinstance(fact, Accrued):
            into = "available" if fact.available_at is None else "pending"
            found.extend(
                [
                    Moved(
                        fact.wallet,
                        "accrual",
                        grant.points,
                        "issuance",
                        into,
                        fact.at,
                        fact.version,
                        grant.campaign,
                        grant.rule,
                        fact.order,
                        None,
                        fact.lot,
                        fact.available_at,
                        fact.expires_at,
                        grant.lines,
                    )
                    for grant in fact.grants
                ]
            )
        elif isinstance(fact, LotActivated):
            part = fact.lot
            found.append(
                Moved(
                    fact.wallet,
                    "activation",
                    part.points,
                    "pending",
                    "available",
                    fact.at,
                    fact.version,
                    lot=part.lot,
                    expires_at=fact.expires_at,
                )
            )
        elif isinstance(fact, WalletCarried):
            found.extend(_carried(fact))
        elif isinstance(fact, LotsExpired):
            found.append(
                Moved(
                    fact.wallet,
                    "expiry",
                    sum([part.points for part in fact.parts]),
                    "available",
                    "breakage",
                    fact.at,
                    fact.version,
                    order=fact.order,
                    redemption=fact.redemption,
                    parts=fact.parts,
                    reason=fact.reason,
                )
            )
    return found


def leaves(out_of: str, into: str) -> bool:
    """Whether points that move between these accounts leave what the member can spend or await.

    Such an entry is shown with a minus: a hold too, though the points it sets aside are still the member's.
    """
    return out_of == "available" or (out_of in MEMBER_ACCOUNTS and into not in MEMBER_ACCOUNTS)


def _carried(fact: WalletCarried) -> list[Moved]:
    """Each balance leaves the one wallet and enters the other; debt goes the other way round."""
    found: list[Moved] = []
    for account, points in (("pending", fact.pending), ("available", fact.available), ("held", fact.held)):
        if points:
            found.append(_carrying(fact, fact.wallet, points, account, "adjustment"))
            found.append(_carrying(fact, fact.into, points, "adjustment", account))
    if fact.debt:
        found.append(_carrying(fact, fact.wallet, fact.debt, "adjustment", "debt"))
        found.append(_carrying(fact, fact.into, fact.debt, "debt", "adjustment"))
    return found


def _carrying(fact: WalletCarried, wallet: str, points: int, out_of: str, into: str) -> Moved:
    return Moved(wallet, "adjustment", points, out_of, into, fact.at, fact.version, reason="carried_over")
