"""`laurels member ID`: what a service agent wants to see of a member, as of now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from laurels.cli.moments import end_of, in_order
from laurels.cli.outside import Outside, Running, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, program_of, program_option, settings_of
from laurels.core.calendar import Instant, Zone, parse_instant
from laurels.core.case import segments_now
from laurels.core.compiled import Compiled
from laurels.core.journal import leaves
from laurels.core.member import Measures, Member, Redemption
from laurels.core.tier import outlook
from laurels.store.reading import JournalEntry, journal, newest_redemptions

ENTRIES_SHOWN = 20
REDEMPTIONS_SHOWN = 20


@click.command("member")
@click.argument("id")
@click.option("--entries", type=click.IntRange(0, 1000), default=ENTRIES_SHOWN, help="How many entries to show.")
@program_option
@json_option
@pass_outside
def member_command(outside: Outside, id: str, *, entries: int, program: str | None, as_json: bool) -> None:
    """Show a member: balances with what expires when, tiers, the newest redemptions and entries."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_member(outside, screen, id, entries, program))


async def _member(outside: Outside, screen: Screen, id: str, limit: int, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        newest = await newest_redemptions(running.database, program, id, REDEMPTIONS_SHOWN)
        member = await _look(running, program, id, newest)
        if member is None:
            raise No(f"{program} has no member {id}.")
        now = await running.intake.now(program) or running.clock.now()
        versions = await running.intake.versions(program)
        compiled = versions.judging(now)
        entries = await journal(running.database, program, id, limit=limit) if limit else []
    value = {
        "program": program,
        "member": id,
        "as_of": compiled.zone.format(now),
        "enrolled_at": _shown(compiled, member.root.enrolled_at),
        "attributes": member.root.attributes,
        "segments": list(segments_now(versions, compiled, member, now)),
        "wallets": {wallet: _wallet(compiled, member, wallet) for wallet in member.root.wallets},
        "tiers": {track.id: _tier(compiled, member, track.id, now) for track in compiled.program.tracks},
        "redemptions": _redemptions(compiled, member),
        "entries": [_entry(compiled, entry) for entry in entries],
    }
    screen.result(value, lambda out: _say(out, value, compiled.zone))


async def _look(running: Running, program: str, id: str, redemptions: Sequence[str]) -> Member | None:
    """The member with these redemptions, and those that hold points; others are not wanted, however many there are."""
    wanted = dict.fromkeys(redemptions)
    while True:
        keys = [f"redemption/{each}" for each in wanted]
        member = await running.intake.look(program, id, "lots/", "measures/", *keys)
        if member is None or wanted.keys() >= member.root.holds.keys():
            return member
        wanted.update(dict.fromkeys(member.root.holds))


def _shown(compiled: Compiled, instant: Instant | None) -> str | None:
    return None if instant is None else compiled.zone.format(instant)


def _wallet(compiled: Compiled, member: Member, wallet: str) -> dict[str, Any]:
    balance = member.root.wallets[wallet]
    expiring: dict[Instant | None, int] = {}

    def add(at: Instant | None, points: int) -> None:
        if balance.expires_at is not None and (at is None or at > balance.expires_at):
            at = balance.expires_at
        expiring[at] = expiring.get(at, 0) + points

    for head in balance.pages:
        page = member.documents.get(f"lots/{wallet}/{head.number}")
        for lot in page if isinstance(page, tuple) else ():
            if lot.available_at is None and lot.until is None:
                add(lot.expires_at, lot.points)
    for id in member.root.holds:
        held = member.documents.get(f"redemption/{id}")
        if isinstance(held, Redemption) and held.wallet == wallet:
            for part in held.parts:
                add(part.expires_at, part.points)
    return {
        "available": balance.available,
        "pending": balance.pending,
        "held": balance.held,
        "debt": balance.debt,
        "lifetime_earned": balance.earned,
        "expiring": [{"at": _shown(compiled, at), "points": points} for at, points in in_order(expiring)],
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


def _redemptions(compiled: Compiled, member: Member) -> list[dict[str, Any]]:
    """The newest redemptions, the newest first."""
    kept = [
        (document.held_at, key.removeprefix("redemption/"), document)
        for key, document in member.documents.items()
        if isinstance(document, Redemption)
    ]
    found = []
    for held_at, id, each in sorted(kept, key=lambda one: one[:2], reverse=True)[:REDEMPTIONS_SHOWN]:
        known = compiled.catalogue.by_key.get(each.reward or "")
        step = each.steps[-1] if each.steps else None
        found.append(
            {
                "id": id,
                "at": compiled.zone.format(held_at),
                "reward": each.reward if known is None else known.id,
                "quantity": each.quantity,
                "wallet": each.wallet,
                "points": each.points,
                "status": each.status,
                "fulfilment": None if step is None else step.state,
                "tracking": None if step is None else step.tracking,
            }
        )
    return found


def _entry(compiled: Compiled, entry: JournalEntry) -> dict[str, Any]:
    return {
        "id": f"{entry.seq}.{entry.n}",
        "at": compiled.zone.format(entry.at),
        "wallet": entry.wallet,
        "kind": entry.kind,
        "points": -entry.points if leaves(entry.out_of, entry.into) else entry.points,
        "out_of": entry.out_of,
        "into": entry.into,
        "campaign": entry.campaign,
        "rule": entry.rule,
        "order": entry.order,
        "reason": entry.reason,
        "stated_reason": entry.stated_reason,
        "activity": f"{entry.source} {entry.activity}",
    }


def _say(out: Console, value: dict[str, Any], zone: Zone) -> None:
    out.print(f"[bold]{value['member']}[/] in {value['program']}, as of {value['as_of']}")
    out.print(f"enrolled {value['enrolled_at']}")
    for name, attribute in value["attributes"].items():
        out.print(f"  {name}: {attribute}", markup=False)
    if value["segments"]:
        out.print(f"segments: {', '.join(value['segments'])}")
    for track, tier in value["tiers"].items():
        until = f" until {_end(zone, tier['until'])}" if tier["until"] else ""
        out.print(f"{track}: [bold]{tier['tier']}[/] since {tier['since']}{until}; projected {tier['projected']}")
    for wallet, balance in value["wallets"].items():
        debt = f", {balance['debt']:,} owed" if balance["debt"] else ""
        out.print(
            f"{wallet}: [bold]{balance['available']:,}[/] available, {balance['pending']:,} pending, "
            f"{balance['held']:,} held{debt}; {balance['lifetime_earned']:,} ever earned"
        )
        for lapse in balance["expiring"]:
            out.print(f"  {lapse['points']:,} good {'until ' + _end(zone, lapse['at']) if lapse['at'] else 'for ever'}")
    if value["redemptions"]:
        table = Table("redemption", "at", "what", "points", "status", "fulfilment", box=None, pad_edge=False)
        for each in value["redemptions"]:
            what = f"{each['quantity']} x {each['reward']}" if each["reward"] else each["wallet"]
            came = " ".join(filter(None, (each["fulfilment"], each["tracking"])))
            table.add_row(escape(each["id"]), each["at"], what, f"{each['points']:,}", each["status"], escape(came))
        out.print(table)
    if value["entries"]:
        table = Table("entry", "at", "wallet", "kind", "points", "why", "activity", box=None, pad_edge=False)
        for entry in value["entries"]:
            why = " ".join(filter(None, (entry["campaign"], entry["rule"], entry["reason"], entry["order"])))
            if entry["stated_reason"]:
                why += f': "{entry["stated_reason"]}"'
            row = (entry["id"], entry["at"], entry["wallet"], entry["kind"], f"{entry['points']:,}", escape(why))
            table.add_row(*row, escape(entry["activity"]))
        out.print(table)


def _end(zone: Zone, until: str) -> str:
    return end_of(zone, parse_instant(until))
