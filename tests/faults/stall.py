"""Tills at which members redeem, use vouchers and turn a wheel until nothing is left, and go on trying.

Everything has an id of its own, so that what was not answered is sent again as it was. What was answered is kept, and
asked for again in the end: it must be the same answer.
"""

from __future__ import annotations

from typing import Any

import httpx

from laurels.clock import RealClock
from laurels.store.codes import begin_batch, import_codes
from laurels.store.database import Database
from tests.faults.audit_offers import LIST
from tests.faults.load import MEMBERS, Shop, ago

SAME = ("member", "recorded_at", "entries", "grants", "prices", "explanation")
"""What of an answer is the same whenever it is given."""


class Stall(Shop):
    """Tills of a program in which little is left of everything."""

    expected = frozenset(
        {"insufficient_points", "out_of_stock", "voucher_exhausted", "voucher_taken", "voucher_redeemed", "no_ticket"}
    )

    async def repeat(self) -> int:
        """Everything that was answered is sent again, and answered the same; how much that was."""
        async with self._client() as client:
            answers = [each for each in self.books.answers.values() if each.told["status"] == "accepted"]
            for start in range(0, len(answers), 50):
                page = answers[start : start + 50]
                body = {"activities": [each.sent for each in page]}
                answered = await self._until_answered(client, "/v1/activities", body)
                for before, again in zip(page, answered["activities"], strict=True):
                    assert again["status"] == "replayed", again
                    differing = [part for part in SAME if again[part] != before.told[part]]
                    assert not differing, (differing, before.told, again)
        return len(answers)

    async def _step(self, client: httpx.AsyncClient) -> None:
        kind = self._chance.random()
        if kind < 0.35:
            await self._send(client, self._order())
        elif kind < 0.5:
            await self._send(client, *[self._order() for _ in range(self._chance.randrange(2, 6))])
        elif kind < 0.75:
            member = self._member()
            await self._send(client, self._doing("check_in", member, {}))
            await self._send(client, self._doing("draw_play", member, {"draw": "wheel"}))
        else:
            await self._redeem(client)

    def _order(self) -> dict[str, Any]:
        """A purchase at the price that the till reckons: with a discount, with a code, or neither."""
        chance = self._chance
        line: dict[str, Any] = {"line": "1", "amount": f"{chance.randrange(5, 40)}.00"}
        data: dict[str, Any] = {"order": f"o-{self._number + 1}", "lines": [line]}
        if chance.random() < 0.5:
            line["discounts"] = [{"code": "first", "amount": "1.50"}]
        if chance.random() < 0.6:
            data["vouchers"] = [chance.choice(("WELCOME", *LIST[:4], *LIST))]
        return self._doing("purchase", self._member(), data)

    async def _redeem(self, client: httpx.AsyncClient) -> None:
        """A mug is held, and then kept, let go of, or left where it is."""
        self._number += 1
        id = f"x-{self._number}"
        body = {"id": id, "member": self._member(), "reward": "mug"}
        answered = await self._until_answered(client, "/v1/redemptions", body)
        if "redemption" not in answered:
            assert answered["code"] in self.expected, answered
            self.books.heard[answered["code"]] += 1
            return
        self.books.held[id] = answered["redemption"]["points"]
        ending = self._chance.choice(("capture", "cancel", "cancel", None))
        if ending is not None:
            ended = await self._until_answered(client, f"/v1/redemptions/{id}/{ending}", {})
            assert "redemption" in ended or ended["code"] == "redemption_not_held", ended
            self.books.ended[id] = ending

    def _doing(self, type: str, member: str, data: dict[str, Any]) -> dict[str, Any]:
        return self._activity(type, member, data, None, ago(seconds=0))

    def _member(self) -> str:
        return f"m-{self._chance.randrange(MEMBERS)}"


async def import_list(url: str) -> None:
    """The codes of the list are there, for one use each."""
    database = await Database.open(url, connections_most=2)
    try:
        await begin_batch(database, RealClock(), "cafe", "list", "printed", wanted=None, uses=1)
        await import_codes(database, RealClock(), "cafe", "list", LIST)
    finally:
        await database.close()
