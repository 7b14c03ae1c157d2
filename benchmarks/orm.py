"""The same endpoint as many would write it: FastAPI, pydantic and SQLAlchemy's ORM, a transaction for each request.

It is what Laurels is measured beside, not a second engine: it judges the ten campaigns of the workload in plain Python,
with tiers, a daily limit, a cooldown, a budget and an explanation, shares points out over lines, keeps lots and orders,
and writes the same rows to the same tables. It does not expire, return or verify. `python -m benchmarks.orm URL`
serves it and says on which port.
"""

import json
import socket
import sys
import time
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import URL, BigInteger, LargeBinary, SmallInteger, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PROGRAM = "workload"
ZONE = ZoneInfo("America/New_York")
DAY = 86_400_000_000
POOL = "campaign/app/points"
BUDGET = 100_000_000
TIERS = (("gold", 90_000), ("silver", 40_000), ("member", 0))
MULTIPLIERS = {"member": Decimal(0), "silver": Decimal("0.25"), "gold": Decimal("0.5")}

# --- what a purchase looks like ---


class Discount(BaseModel):
    code: str = Field(max_length=200)
    amount: Decimal


class Line(BaseModel):
    line: str = Field(min_length=1, max_length=200)
    amount: Decimal
    quantity: Decimal = Decimal(1)
    sku: str | None = None
    category: str | None = None
    discounts: list[Discount] = []


class Purchase(BaseModel):
    order: str = Field(min_length=1, max_length=200)
    store: str | None = None
    channel: str | None = None
    lines: list[Line] = Field(min_length=1, max_length=1000)


class Envelope(BaseModel):
    source: str
    id: str = Field(min_length=1, max_length=200)
    type: str
    member: str
    occurred_at: datetime
    data: Purchase


class EntryAnswer(BaseModel):
    id: str
    wallet: str
    kind: str
    points: int
    state: str
    available_at: datetime
    expires_at: datetime
    campaign: str
    lot: str


class Answer(BaseModel):
    source: str
    id: str
    status: str
    entries: list[EntryAnswer]
    balances: dict[str, dict[str, int]]
    tiers: dict[str, dict[str, Any]]
    explanation: list[dict[str, Any]]


# --- tables ---


class Base(DeclarativeBase):
    pass


class Activity(Base):
    __tablename__ = "activity"
    program: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    id: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    engine: Mapped[int]
    version: Mapped[int]
    known: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    circumstances: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class Entry(Base):
    __tablename__ = "entry"
    program: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    wallet: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    out_of: Mapped[str] = mapped_column(Text)
    into_account: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int]
    campaign: Mapped[str | None] = mapped_column(Text)
    rule: Mapped[str | None] = mapped_column(Text)
    order_id: Mapped[str | None] = mapped_column(Text)
    lot: Mapped[str | None] = mapped_column(Text)
    available_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[str | None] = mapped_column(Text)


class Member(Base):
    __tablename__ = "member"
    program: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(Text)
    wake_at: Mapped[int | None] = mapped_column(BigInteger)


class State(Base):
    __tablename__ = "state"
    program: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    document: Mapped[str] = mapped_column(Text)


class Pool(Base):
    __tablename__ = "pool"
    program: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)


class ApiKey(Base):
    __tablename__ = "api_key"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    program: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)


# --- judging ---


class Judged:
    """What a purchase earns, campaign by campaign."""

    def __init__(self) -> None:
        self.grants: list[dict[str, Any]] = []
        self.explained: list[list[Any]] = []

    def add(
        self, campaign: str, points: int, shares: list[Decimal] | None, lines: list[Line], *, rule: str | None = None
    ) -> None:
        """A campaign that applies."""
        if not points:
            self.skip(campaign, "nothing")
            return
        grant: dict[str, Any] = {"campaign": campaign, "points": points}
        if rule:
            grant["rule"] = rule
        if shares is not None:
            grant["lines"] = share_out(points, shares, lines)
        self.grants.append(grant)
        self.explained.append([campaign, "applied", points, points, "points", rule])

    def skip(self, campaign: str, code: str, wanted: int = 0) -> None:
        """A campaign that does not, and why."""
        self.explained.append([campaign, code, wanted, 0, None, None])


def share_out(points: int, weights: list[Decimal], lines: list[Line]) -> list[list[Any]]:
    """Points over lines in proportion; what is left over goes to the largest remainders."""
    total = sum(weights)
    if not total:
        return []
    exact = [points * weight / total for weight in weights]
    shares = [int(each) for each in exact]
    order = sorted(range(len(exact)), key=lambda n: shares[n] - exact[n])
    for n in order[: points - sum(shares)]:
        shares[n] += 1
    return [[line.line, share] for line, share in zip(lines, shares, strict=True) if share]


def floor(value: Decimal) -> int:
    """The points in an amount."""
    return int(value.to_integral_value(ROUND_FLOOR))


def judge(bought: Purchase, root: dict[str, Any], at: int, budget_left: int) -> Judged:
    """The ten campaigns, one after another."""
    judged = Judged()
    lines, zero = bought.lines, Decimal(0)
    local = instant(at)
    tier = root["tracks"]["membership"]["tier"]
    total = sum((line.amount for line in lines), zero)
    earning = [line.amount if line.category != "FUEL" else zero for line in lines]
    base = floor(sum(earning, zero))
    if base:
        judged.add("base", base, earning, lines)
        if MULTIPLIERS[tier]:
            judged.add("base", floor(base * MULTIPLIERS[tier]), earning, lines, rule=tier)
    else:
        judged.skip("base", "no_lines")
    produce = [line.amount if line.category == "PRODUCE" else zero for line in lines]
    if any(produce):
        judged.add("produce", floor(sum(produce, zero)), produce, lines)
    else:
        judged.skip("produce", "no_lines")
    if local.weekday() in (1, 3):
        judged.add("weekdays", base, earning, lines)
    else:
        judged.skip("weekdays", "outside_hours")
    if total >= 50:
        judged.add("big_basket", 20, None, lines)
    else:
        judged.skip("big_basket", "condition_not_met")
    loyal = floor(total / 5) * {"member": 1, "silver": 2, "gold": 3}[tier]
    judged.add("loyal", loyal, [line.amount for line in lines], lines)
    day = int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1e6)
    dairy = [2 * line.quantity if line.category == "DAIRY" else zero for line in lines]
    used = next((use for period, use in root.setdefault("limits", {}).get("dairy/day_points", []) if period == day), 0)
    wanted = floor(sum(dairy, zero))
    granted = min(wanted, 10 - used)
    if not wanted:
        judged.skip("dairy", "no_lines")
    elif granted <= 0:
        judged.skip("dairy", "limit_reached", wanted)
    else:
        judged.add("dairy", granted, dairy, lines)
        root["limits"]["dairy/day_points"] = [[day, used + granted]]
    if bought.channel != "app" or total < 20:
        judged.skip("app", "condition_not_met")
    elif budget_left < 5:
        judged.skip("app", "budget_exhausted", 5)
    else:
        judged.add("app", 5, None, lines)
    judged.skip("last_season", "outside_window")
    if root.get("attributes", {}).get("staff") and tier in ("silver", "gold"):
        judged.add("colleagues", floor(total / 2), [line.amount for line in lines], lines)
    else:
        judged.skip("colleagues", "condition_not_met")
    cooldowns = root.setdefault("cooldowns", {})
    if bought.store != "harbour":
        judged.skip("harbour_store", "condition_not_met")
    elif cooldowns.get("harbour_store/cooldown", 0) > at:
        judged.skip("harbour_store", "cooldown", 10)
    else:
        judged.add("harbour_store", 10, None, lines)
        cooldowns["harbour_store/cooldown"] = at + 3 * DAY
    return judged


# --- the endpoint ---


def instant(at: int) -> datetime:
    """Microseconds as an instant."""
    return datetime.fromtimestamp(at / 1e6, ZONE)


def month_end(at: int) -> int:
    """Where the month ends in which a year from an instant has passed."""
    year, month = instant(at).year + 1, instant(at).month
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    return int(datetime(*after, 1, tzinfo=ZONE).timestamp() * 1e6)


def bucket_of(member: str) -> int:
    """Where the member's rows belong."""
    return int.from_bytes(sha256(member.encode()).digest()[-2:]) & 1023


def application(url: str) -> FastAPI:
    """The endpoint on a database."""
    where = urlsplit(url)
    socket_of = {name: values[0] for name, values in parse_qs(where.query).items()}
    engine = create_async_engine(
        URL.create("postgresql+asyncpg", where.username, where.password, where.hostname, where.port, where.path[1:]),
        connect_args={**socket_of, "server_settings": {"search_path": "laurels", "role": "laurels_app", "jit": "off"}},
        pool_size=20,
        max_overflow=0,
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    keys: dict[str, str] = {}
    app = FastAPI()

    async def speaks_as(authorization: Annotated[str, Header()]) -> str:
        """The source that the key speaks for, which is remembered."""
        secret = authorization.removeprefix("Bearer ")
        if secret not in keys:
            async with sessions() as session:
                key = await session.get(ApiKey, sha256(secret.encode()).digest())
            if key is None:
                raise HTTPException(401)
            keys[secret] = key.source
        return keys[secret]

    @app.post("/v1/activities")
    async def send(sent: Envelope, source: Annotated[str, Depends(speaks_as)]) -> Answer:
        """Records a purchase, durably before it is answered."""
        async with sessions() as session, session.begin():
            return await record(session, sent, source)

    return app


async def record(session: AsyncSession, sent: Envelope, source: str) -> Answer:
    """One purchase in the session's transaction."""
    bought, at = sent.data, int(sent.occurred_at.timestamp() * 1e6)
    member = await session.scalar(
        select(Member).where(Member.program == PROGRAM, Member.id == sent.member).with_for_update()
    )
    if member is None:
        raise HTTPException(409, "unknown_member")
    known = await session.scalar(
        select(Activity.seq).where(Activity.program == PROGRAM, Activity.source == source, Activity.id == sent.id)
    )
    if known is not None:
        raise HTTPException(409, "activity_conflict")
    root: dict[str, Any] = json.loads(member.root)
    wallet = root["wallets"]["points"]
    page = wallet["pages"][-1][0] if wallet["pages"] else 0
    place = {"program": PROGRAM, "member": sent.member, "bucket": bucket_of(sent.member)}
    lots = await session.get(State, {**place, "key": f"lots/points/{page}"})
    if await session.get(State, {**place, "key": f"order/{bought.order}"}) is not None:
        raise HTTPException(409, "duplicate_order")
    used = await session.scalar(select(Pool.used).where(Pool.program == PROGRAM, Pool.id == POOL)) or 0

    judged = judge(bought, root, at, BUDGET - used)
    claimed = sum(grant["points"] for grant in judged.grants if grant["campaign"] == "app")
    points = sum(grant["points"] for grant in judged.grants)
    seq, available_at, expires_at = member.seq + 1, at + 7 * DAY, month_end(at + 7 * DAY)
    lot = f"{seq}.0"

    wallet["pending"] = wallet.get("pending", 0) + points
    wallet["earned"] = wallet.get("earned", 0) + points
    kept = json.loads(lots.document)[1] if lots is not None else []
    kept.append([lot, points, at, expires_at, available_at, None, None])
    first = kept[0]
    wallet["pages"] = [*wallet["pages"][:-1], [page, first[3], first[2], first[0], len(kept), available_at]]
    total = int(sum(line.amount for line in bought.lines) * 100)
    standing = root["tracks"]["membership"]
    measured = standing["measures"][-1]
    measured[1][0] += total
    standing["tier"] = next(tier for tier, least in TIERS if measured[1][0] >= least)
    root["counters"]["purchases"] += 1
    root.update(seq=seq, now=at, due_at=available_at, wake_at=first[3])

    facts = [
        {"fact": "accrued", "wallet": "points", "lot": lot, "points": points, "at": at, "grants": judged.grants,
         "version": 1, "order": bought.order, "expires_at": expires_at, "available_at": available_at},
        {"fact": "explained", "version": 1, "campaigns": judged.explained},
        {"fact": "counter_moved", "counter": "purchases", "by": 1},
        {"fact": "measured", "track": "membership", "window": measured[0], "by": [total]},
        {"fact": "order_opened", "order": bought.order, "seq": seq, "at": at, "version": 1,
         "measured": {"membership": [total]}, "tiers": {"membership": standing["tier"]}},
    ]  # fmt: skip
    if claimed:
        facts.append({"fact": "pool_claimed", "pool": POOL, "by": claimed})
    body, said = bought.model_dump_json(exclude_defaults=True), json.dumps(facts, separators=(",", ":"))
    session.add(
        Activity(
            **place, seq=seq, source=source, id=sent.id, type=sent.type, occurred_at=at,
            recorded_at=time.time_ns() // 1000, engine=1, version=1, known=1, body=body, facts=said,
            circumstances=json.dumps({"pools": {POOL: used}}), digest=sha256((body + said).encode()).digest(),
        )
    )  # fmt: skip
    entries = []
    for n, grant in enumerate(judged.grants):
        detail = json.dumps({"lines": grant["lines"]}, separators=(",", ":")) if "lines" in grant else None
        session.add(
            Entry(
                **place, seq=seq, n=n, wallet="points", kind="accrual", points=grant["points"], out_of="issuance",
                into_account="pending", at=at, version=1, campaign=grant["campaign"], rule=grant.get("rule"),
                order_id=bought.order, lot=lot, available_at=available_at, expires_at=expires_at, detail=detail,
            )
        )  # fmt: skip
        entries.append(
            EntryAnswer(
                id=f"{seq}.{n}", wallet="points", kind="accrual", points=grant["points"], state="pending",
                available_at=instant(available_at), expires_at=instant(expires_at), campaign=grant["campaign"], lot=lot,
            )
        )  # fmt: skip
    document = json.dumps([1, kept], separators=(",", ":"))
    if lots is None:
        session.add(State(**place, key=f"lots/points/{page}", document=document))
    else:
        lots.document = document
    session.add(State(**place, key=f"order/{bought.order}", document=json.dumps({"v": 1, "seq": seq})))
    member.seq, member.root, member.wake_at = seq, json.dumps(root, separators=(",", ":")), root["wake_at"]
    if claimed:
        await session.flush()
        await session.execute(
            update(Pool).where(Pool.program == PROGRAM, Pool.id == POOL).values(used=Pool.used + claimed)
        )
    balances = {name: wallet.get(name, 0) for name in ("available", "pending", "held", "debt")}
    return Answer(
        source=source,
        id=sent.id,
        status="accepted",
        entries=entries,
        balances={"points": balances},
        tiers={"membership": {"tier": standing["tier"], "changed": False}},
        explanation=[
            {
                "campaign": each[0],
                "applied": each[1] == "applied",
                "code": each[1],
                "wanted": each[2],
                "granted": each[3],
            }
            for each in judged.explained
        ],
    )


def main() -> None:
    """Serves until stopped."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    config = uvicorn.Config(
        application(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
