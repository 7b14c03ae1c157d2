"""The same transaction by hand: what a developer would write for pgbench, and for bulk loading with arrays.

What it writes is what Laurels wrote for purchases of the same workload: some thousand are recorded first, sorted by how
many entries they have and whether they draw on the budget, and of each sort one of middling length is written again
and again, as often as its sort occurs. So the rows of each table are as many and as long. What is decided costs nothing
here, and ids are made by the database; texts travel over the connection as parameters, as they would.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks.ground import HOME, PROGRAM, Copy
from benchmarks.measure import Turn
from benchmarks.requests import bought
from laurels import wiring
from laurels.intake.submission import Submission
from laurels.settings import Settings
from laurels.store.database import Database
from laurels.store.embedded import binaries

POOL: Final = "campaign/app/points"
SAMPLED: Final = 3000
SESSION: Final = {
    "search_path": "laurels",
    "role": "laurels_app",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Shape(msgspec.Struct, frozen=True):
    """A purchase as recorded, standing for `weight` of a thousand."""

    weight: int
    claims: bool
    activity: dict[str, Any]
    entries: list[dict[str, Any]]
    root: str
    page: str
    order: str


def shapes(copy: Copy, members: int) -> list[Shape]:
    """What purchases write, from some that Laurels records in this database."""
    return asyncio.run(_shapes(copy, members))


async def _shapes(copy: Copy, members: int) -> list[Shape]:
    async with wiring.application(Settings(database_url=copy.url)) as running:
        sent = [
            Submission("pos", each.id, each.type, each.member, each.occurred_at, each.data)
            for each in bought("shape", members, SAMPLED)
        ]
        for outcome in await running.intake.submit(PROGRAM, sent):
            assert outcome.status == "accepted", outcome
        return await _sorted(running.database)


async def _sorted(database: Database) -> list[Shape]:
    fetch = database.pool.fetch
    rows = await fetch("select * from activity where id like 'shape-%'")
    entries: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in await fetch("select * from entry where order_id like 'shape-%' order by member, seq, n"):
        entries.setdefault((row["member"], row["seq"]), []).append(dict(row))
    sorts: dict[tuple[int, bool], list[dict[str, Any]]] = {}
    for row in rows:
        sort = len(entries.get((row["member"], row["seq"]), ())), '"pool_claimed"' in row["facts"]
        sorts.setdefault(sort, []).append(dict(row))
    found = []
    for (_count, claims), alike in sorted(sorts.items()):
        weight = round(1000 * len(alike) / len(rows))
        if weight == 0:
            continue
        middling = sorted(alike, key=lambda row: len(row["facts"]))[len(alike) // 2]
        member, seq = middling["member"], middling["seq"]
        root = await database.pool.fetchval("select root from member where id = $1", member)
        page = await database.pool.fetchval(
            "select document from state where member = $1 and key like 'lots/%' order by key desc limit 1", member
        )
        order = f'{{"seq":{seq}}}'
        found.append(Shape(weight, claims, middling, entries.get((member, seq), []), root, page, order))
    return found


# --- pgbench ---

_SCRIPT: Final = """\
\\set m random(0, {members} - 1)
begin;
select seq + 1 as seq, bucket, root from member where program = 'workload' and id = 'm' || :m for update \\gset
select p.mode, p.clock, (select max(v.number) from program_version v where v.program = p.id) as head, a.seq as known
from program p left join activity a on a.program = p.id and a.source = 'pos' and a.id = 'g' || :m || '-' || :seq
where p.id = 'workload';
select key, document from state
where program = 'workload' and member = 'm' || :m and key in ('lots/points/0', 'order/g' || :m || '-' || :seq)
and bucket = :bucket;
select used from pool where program = 'workload' and id = 'campaign/app/points';
insert into activity
  (program, member, seq, bucket, source, id, type, occurred_at, recorded_at, engine, version, known, body, facts,
   circumstances, digest)
values
  ('workload', 'm' || :m, :seq, :bucket, 'pos', 'g' || :m || '-' || :seq, 'purchase', :at, :at, 1, 1, 1, :body, :facts,
   :circumstances, decode(:digest, 'hex'));
{entries}
insert into state (program, member, key, bucket, document)
values ('workload', 'm' || :m, 'lots/points/0', :bucket::smallint, :page),
       ('workload', 'm' || :m, 'order/g' || :m || '-' || :seq, :bucket::smallint, :orderdoc)
on conflict (program, member, key, bucket) do update set document = excluded.document;
update member set seq = :seq, root = :root, wake_at = :wake
where program = 'workload' and id = 'm' || :m and bucket = :bucket;
{claim}
commit;
"""

_ENTRIES: Final = """\
insert into entry
  (program, member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule, order_id,
   redemption, lot, available_at, expires_at, reason, detail)
values
"""

_ENTRY: Final = (
    "  ('workload', 'm' || :m, :seq::bigint, {n}, :bucket::smallint, 'points', 'accrual', {points}, '{out_of}', "
    "'{into_account}', :at::bigint, 1, '{campaign}', {rule}, 'g' || :m || '-' || :seq, null, :seq || '.0', "
    ":at::bigint, :wake::bigint, null, {detail})"
)

_CLAIM: Final = f"update pool set used = used + 5 where program = 'workload' and id = '{POOL}';"


class Pgbench:
    """pgbench carrying the transaction out on a contender's database."""

    def __init__(self, copy: Copy, found: list[Shape], members: int) -> None:
        self._copy = copy
        self._folder = HOME / copy.name
        self._folder.mkdir(parents=True, exist_ok=True)
        self._scripts: list[str] = []
        self._variables: list[str] = []
        for number, shape in enumerate(found):
            self._script(number, shape, members)

    def _script(self, number: int, shape: Shape, members: int) -> None:
        known = {
            "body": shape.activity["body"],
            "facts": shape.activity["facts"],
            "circumstances": shape.activity["circumstances"],
            "digest": shape.activity["digest"].hex(),
            "root": shape.root,
            "page": shape.page,
            "orderdoc": shape.order,
            "at": str(shape.activity["occurred_at"]),
            "wake": str(shape.activity["occurred_at"] + 365 * 86_400_000_000),
        }
        rows = []
        for entry in shape.entries:
            if entry["detail"] is not None:
                known[f"detail{entry['n']}"] = entry["detail"]
            said = {**entry, "detail": "null" if entry["detail"] is None else f":detail{entry['n']}"}
            said["rule"] = "null" if entry["rule"] is None else f"'{entry['rule']}'"
            rows.append(_ENTRY.format(**said))
        text = _SCRIPT.format(
            members=members,
            entries=_ENTRIES + ",\n".join(rows) + ";" if rows else "",
            claim=_CLAIM if shape.claims else "",
        )
        # Variables are those of all scripts together.
        text = re.sub(rf"(?<!:):({'|'.join(known)})\b", rf":\g<1>_{number}", text)
        file = self._folder / f"{number}.sql"
        file.write_text(text, encoding="utf-8")
        self._scripts += ["-f", f"{file}@{shape.weight}"]
        for name, value in known.items():
            self._variables += ["-D", f"{name}_{number}={value}"]

    def play(self, seconds: float, clients: int) -> Turn:
        """A turn with so many clients."""
        where = parse_qs(urlsplit(self._copy.url).query)
        database = urlsplit(self._copy.url)
        lz4 = {"default_toast_compression": "lz4"} if binaries.find().lz4 else {}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PGHOST": where["host"][0] if "host" in where else database.hostname or "",
            "PGPORT": where["port"][0] if "port" in where else str(database.port or 5432),
            "PGUSER": database.username or "laurels",
            "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in {**SESSION, **lz4}.items()),
        }
        if database.password:
            environment["PGPASSWORD"] = database.password
        program = str(binaries.installed_program("pgbench"))
        command = [program, "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(max(1, round(seconds)))]
        before = os.times()
        done = subprocess.run(
            [*command, *self._variables, *self._scripts, self._copy.name],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        after = os.times()
        if done.returncode != 0 or "number of failed transactions: 0 " not in done.stdout:
            raise RuntimeError(f"pgbench ended with {done.returncode}: {done.stderr[-2000:]} {done.stdout[-2000:]}")
        count = int(_found(r"transactions actually processed: (\d+)", done.stdout))
        rate = float(_found(r"tps = ([\d.]+)", done.stdout))
        client = after.children_user - before.children_user + after.children_system - before.children_system
        return Turn(count, count / rate, {"client": client})


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]
