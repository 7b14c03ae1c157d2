"""Tills that send until they are answered, as the interface tells them to: the same again after every failure.

What they sent and what they were answered stands in `Books`, for the audit. Every choice comes from a seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from laurels import wiring
from laurels.api.publishing import Published
from laurels.clock import Clock, RealClock
from laurels.settings import Settings
from laurels.store.programs import Mode
from tests.faults.audit import PROGRAM, Books, Told

MEMBERS = 12
PATIENCE_SECONDS = 200
"""More than three requests in a row that died with the same key."""


async def open_shop(url: str, clock: Clock | None = None, *, document: str = PROGRAM, mode: Mode = "live") -> str:
    """A program with members, and a key for its tills."""
    settings = Settings(database_url=url)
    async with wiring.application(settings, clock or RealClock()) as running:
        secret, _key = await wiring.make_key(running, "cafe", source="pos", name="till", scopes=["admin"], mode=mode)
        assert isinstance(await wiring.publish(running, document), Published)
    return secret


def ago(**span: float) -> str:
    """An instant in the past, as tills write it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it is so."""
    while not condition():  # noqa: ASYNC110 - what is watched are the books, which know of no events
        await asyncio.sleep(0.005)


class Shop:
    """Tills at one or several servers. `expected` are the refusals that they may get."""

    expected = frozenset({"insufficient_points", "same_member"})

    def __init__(self, addresses: Sequence[str], secret: str, seed: int, *, keyed: bool = False) -> None:
        """`keyed`: redemptions come with an Idempotency-Key. One whose request died is taken for running for a minute,
        which a short test cannot wait for; without it their ids make them safe all the same."""
        self._addresses = addresses
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._chance = Random(seed)
        self._keyed = keyed
        self._number = 0
        self.books = Books()

    async def enrol(self, at: str | None = None, members: int = MEMBERS) -> None:
        """The members join."""
        async with self._client() as client:
            for n in range(members):
                await self._send(client, self._activity("enrol", f"m-{n}", {}, None, at or ago(days=2)))

    async def trade(self, tills: int, until: Callable[[], bool]) -> None:
        """Business at so many tills until something is so; whatever was begun is brought to its answer."""

        async def till() -> None:
            async with self._client() as client:
                while not until():
                    await self._step(client)

        async with asyncio.TaskGroup() as group:
            for _ in range(tills):
                group.create_task(till())

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(headers=self._headers, timeout=30)

    async def _step(self, client: httpx.AsyncClient) -> None:
        chance = self._chance
        kind = chance.random()
        if kind < 0.6:
            await self._send(client, self._purchase())
        elif kind < 0.75:
            await self._send(client, *[self._purchase() for _ in range(chance.randrange(2, 12))])
        elif kind < 0.88:
            data = {"to": f"m-{chance.randrange(MEMBERS)}", "wallet": "points", "points": chance.randrange(1, 9)}
            await self._send(client, self._activity("transfer", self._member(), data, None))
        else:
            await self._hold(client)

    def _member(self) -> str:
        # One member is hot, so that tills meet.
        return f"m-{self._chance.choice((0, self._chance.randrange(MEMBERS)))}"

    def _purchase(self) -> dict[str, Any]:
        paid = self._chance.randrange(1, 60)
        id = f"o-{self._number + 1}"
        lines = [{"line": "1", "amount": f"{paid}.00"}]
        return self._activity("purchase", self._member(), {"order": id, "lines": lines}, paid)

    def _activity(
        self, type: str, member: str, data: dict[str, Any], points: int | None, at: str | None = None
    ) -> dict[str, Any]:
        self._number += 1
        id = f"{type}-{self._number}"
        self.books.sent[id] = points
        return {"id": id, "type": type, "member": member, "occurred_at": at or ago(hours=1), "data": data}

    async def _send(self, client: httpx.AsyncClient, *activities: dict[str, Any]) -> None:
        body = activities[0] if len(activities) == 1 else {"activities": activities}
        answered = await self._until_answered(client, "/v1/activities", body)
        answers = answered["activities"] if len(activities) > 1 else (answered,)
        for sent, each in zip(activities, answers, strict=True):
            self.books.heard[each["status"]] += 1
            assert each["status"] in ("accepted", "replayed", "refused"), each
            if each["status"] == "refused":
                assert each["refusal"]["code"] in self.expected, each
                self.books.heard[each["refusal"]["code"]] += 1
                continue
            self.books.acknowledged.add(each["id"])
            self.books.answers[each["id"]] = Told(sent, each)
            if each["status"] == "replayed":
                self.books.replayed.add(each["id"])

    async def _hold(self, client: httpx.AsyncClient) -> None:
        self._number += 1
        id, points = f"x-{self._number}", self._chance.randrange(1, 15)
        body = {"id": id, "member": self._member(), "wallet": "points", "points": points}
        answered = await self._until_answered(client, "/v1/redemptions", body, key=id)
        if "redemption" not in answered:
            assert answered["code"] == "insufficient_points", answered
            return
        self.books.held[id] = points
        ending = self._chance.choice(("capture", "cancel"))
        ended = await self._until_answered(client, f"/v1/redemptions/{id}/{ending}", {}, key=f"{ending}-{id}")
        # Sent again without a key after an answer that got lost: it is not held any more.
        assert "redemption" in ended or ended["code"] == "redemption_not_held", ended

    async def _until_answered(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], key: str | None = None
    ) -> dict[str, Any]:
        """The answer; what was not answered is sent again, to whichever server comes first."""
        headers = {"Idempotency-Key": key} if key is not None and self._keyed else {}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            assert loop.time() < deadline, f"nobody answers {path}"
            address = self._chance.choice(self._addresses)
            try:
                answered = await client.post(f"{address}{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.books.heard["silence"] += 1
                await asyncio.sleep(0.05)
                continue
            found: dict[str, Any] = answered.json()
            if answered.status_code == 503 or found.get("code") == "still_running":
                self.books.heard[found["code"]] += 1
                await asyncio.sleep(0.05)
                continue
            assert answered.status_code < 500, answered.text
            return found
