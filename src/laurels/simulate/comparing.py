"""Two outcomes of a program side by side: whose points and tiers differ, and by how much."""

from __future__ import annotations

from typing import Final

import msgspec

from laurels.simulate.living import Lived

MOVERS_MOST: Final = 10


class Mover(msgspec.Struct, frozen=True):
    """A member whose points differ most."""

    member: str
    before: int
    after: int

    @property
    def by(self) -> int:
        """What they gain, or lose where negative."""
        return self.after - self.before


class WalletDifference(msgspec.Struct, frozen=True):
    """How members' points in a wallet differ: how many gain and lose, how much together, and who most."""

    gain: int
    lose: int
    same: int
    gained: int
    lost: int
    movers: tuple[Mover, ...]


class Comparison(msgspec.Struct, frozen=True):
    """From `before` to `after`. `moves` counts members by track, tier before and tier after, where these differ."""

    wallets: dict[str, WalletDifference]
    moves: dict[str, dict[str, dict[str, int]]]


def compare(before: Lived, after: Lived) -> Comparison:
    """How the members of two outcomes differ; whoever is in one of them only had nothing in the other."""
    members = sorted(before.members.keys() | after.members.keys())
    wallets = sorted(
        {wallet for lived in (before, after) for stand in lived.members.values() for wallet in stand.points}
    )
    moves: dict[str, dict[str, dict[str, int]]] = {}
    for member in members:
        was, is_ = before.members.get(member), after.members.get(member)
        if was is None or is_ is None:
            continue
        for track in was.tiers.keys() | is_.tiers.keys():
            tier, new_tier = was.tiers.get(track, ""), is_.tiers.get(track, "")
            if tier != new_tier:
                to = moves.setdefault(track, {}).setdefault(tier, {})
                to[new_tier] = to.get(new_tier, 0) + 1
    return Comparison({wallet: _wallet(before, after, members, wallet) for wallet in wallets}, moves)


def _wallet(before: Lived, after: Lived, members: list[str], wallet: str) -> WalletDifference:
    movers = []
    for member in members:
        was, is_ = before.members.get(member), after.members.get(member)
        mover = Mover(
            member, 0 if was is None else was.points.get(wallet, 0), 0 if is_ is None else is_.points.get(wallet, 0)
        )
        movers.append(mover)
    changes = [mover.by for mover in movers]
    largest = sorted((mover for mover in movers if mover.by), key=lambda mover: (-abs(mover.by), mover.member))
    return WalletDifference(
        gain=sum(by > 0 for by in changes),
        lose=sum(by < 0 for by in changes),
        same=sum(by == 0 for by in changes),
        gained=sum(by for by in changes if by > 0),
        lost=-sum(by for by in changes if by < 0),
        movers=tuple(largest[:MOVERS_MOST]),
    )
