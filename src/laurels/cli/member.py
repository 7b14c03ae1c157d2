"""`laurels member ID`: what a service agent wants to see of a member, as of now."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, program_of, program_option, settings_of
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.facts import MEMBER_ACCOUNTS
from laurels.core.member import Measures, Member
from laurels.core.tier import outlook
from laurels.store.reading import JournalEntry, journal

ENTRIES_SHOWN = 20


@click.command("member")
@click.argument("id")
@click.option("--entries", type=click.IntRange(0, 1000), default=ENTRIES_SHOWN, help="How many entries to show.")
@program_option
@json_option
@pass_outside
def member_command(outside: Outside, id: str, *, entries: int, program: str | None, as_json: bool) -> None:
    """Show a member: balances with what expires when, tiers, and the newest entries."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_member(outside, screen, id, entries, program))


async def _member(outside: Outside, screen: Screen, id: str, limit: int, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        member = await running.intake.look(program, id, "lots/", "measures/")
        if member is None:
            raise No(f"{program} has no member {id}.")
        now = await running.intake.now(program) or running.clock.now()
        compiled = (await running.intake.versions(program)).judging(now)
        entries = await journal(running.database, program, id, limit=limit) if limit else []
    value = {
        "program": program,
        "member": id,
        "as_of": compiled.zone.format(now),
        "enrolled_at": _shown(compiled, member.root.enrolled_at),
        "attributes": member.root.attributes,
        "wallets": {wallet: _wallet(compiled, member, wallet) for wallet in member.root.wallets},
        "tiers": {track.id: _tier(compiled, member, track.id, now) for track in compiled.program.tracks},
        "entries": [_entry(compiled, entry) for entry in entries],
    }
    screen.result(value, lambda out: _say(out, value))


def _shown(compiled: Compiled, instant: Instant | None) -> str | None:
    return None if instant is None else compiled.zone.format(instant)


def _wallet(compiled: Compiled, member: Member, wallet: str) -> dict[str, Any]:
    balance = member.root.wallets[wallet]
    expiring: dict[int | None, int] = {}
    for head in balance.pages:
        page = member.documents.get(f"lots/{wallet}/{head.number}")
        for lot in page if isinstance(page, tuple) else ():
            if lot.available_at is None and lot.until is None:
                expiring[lot.expires_at] = expiring.get(lot.expires_at, 0) + lot.points
    return {
        "available": balance.available,
        "pending": balance.pending,
        "held": balance.held,
        "debt": balance.debt,
        "lifetime_earned": balance.earned,
        "expiring": [{"at": _shown(compiled, at), "points": points} for at, points in expiring.items()],
    }


def _tier(compiled: Compiled, member: Member, track: str, now: Instant) -> dict[str, Any]:
    days = member.documents.get(f"measures/{track}")
    found = outlook(compiled, compiled.tracks[track], member.root, days if isinstance(days, Measures) else None, now)
    return {
        "tier": found.tier,
        "since": _shown(compiled, found.since),
        "until": _shown(compiled, found.until),
        "next": found.next_tier,
        "projected": found.projected,
    }


def _entry(compiled: Compiled, entry: JournalEntry) -> dict[str, Any]:
    leaves = entry.out_of in MEMBER_ACCOUNTS and entry.into not in MEMBER_ACCOUNTS
    return {
        "id": f"{entry.seq}.{entry.n}",
        "at": compiled.zone.format(entry.at),
        "wallet": entry.wallet,
        "kind": entry.kind,
        "points": -entry.points if leaves else entry.points,
        "out_of": entry.out_of,
        "into": entry.into,
        "campaign": entry.campaign,
        "rule": entry.rule,
        "order": entry.order,
        "reason": entry.reason,
        "activity": f"{entry.source} {entry.activity}",
    }


def _say(out: Console, value: dict[str, Any]) -> None:
    out.print(f"[bold]{value['member']}[/] in {value['program']}, as of {value['as_of']}")
    out.print(f"enrolled {value['enrolled_at']}")
    for name, attribute in value["attributes"].items():
        out.print(f"  {name}: {attribute}", markup=False)
    for track, tier in value["tiers"].items():
        until = f" until {tier['until']}" if tier["until"] else ""
        out.print(f"{track}: [bold]{tier['tier']}[/] since {tier['since']}{until}; projected {tier['projected']}")
    for wallet, balance in value["wallets"].items():
        debt = f", {balance['debt']:,} owed" if balance["debt"] else ""
        out.print(
            f"{wallet}: [bold]{balance['available']:,}[/] available, {balance['pending']:,} pending, "
            f"{balance['held']:,} held{debt}; {balance['lifetime_earned']:,} ever earned"
        )
        for lapse in balance["expiring"]:
            out.print(f"  {lapse['points']:,} expire {lapse['at'] or 'never'}")
    if value["entries"]:
        table = Table("entry", "at", "wallet", "kind", "points", "why", "activity", box=None, pad_edge=False)
        for entry in value["entries"]:
            why = " ".join(filter(None, (entry["campaign"], entry["rule"], entry["reason"], entry["order"])))
            row = (entry["id"], entry["at"], entry["wallet"], entry["kind"], f"{entry['points']:,}", why)
            table.add_row(*row, entry["activity"])
        out.print(table)
