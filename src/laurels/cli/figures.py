"""The figures of a program as a manager likes to read them, and two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from laurels.cli.given import given_as_json, say_given
from laurels.cli.moments import end_of, in_order
from laurels.cli.screen import plural
from laurels.core.calendar import Zone
from laurels.core.money import floor_div, format_minor
from laurels.core.program.model import Program, Texts
from laurels.simulate.comparing import Comparison
from laurels.simulate.figures import TIER_BONUS, Figures, WalletFigures
from laurels.simulate.given import Given

CAMPAIGNS_SHOWN = 12
EXPIRING_SHOWN = 6


def figures_as_json(program: Program, figures: Figures, zone: Zone) -> dict[str, Any]:
    """Figures as JSON; instants in the program's zone."""
    value: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(figures, wallets={}, given=Given()))
    value["given"] = given_as_json(program, figures.given)
    value["wallets"] = {
        wallet: {
            **msgspec.to_builtins(msgspec.structs.replace(each, expiring={})),
            "outstanding": each.outstanding,
            "expiring": [
                {"at": None if at is None else zone.format(at), "points": p} for at, p in in_order(each.expiring)
            ],
        }
        for wallet, each in figures.wallets.items()
    }
    return value


def say_figures(
    out: Console,
    program: Program,
    figures: Figures,
    zone: Zone,
    why_zero: Mapping[str, str] | None = None,
    *,
    given: bool = True,
) -> None:
    """Figures in tables. What is zero is left out, but for the lines of which `why_zero` says why they are.

    With `given` false it is not said what members got beside points.
    """
    for track in program.tracks:
        counts = figures.tracks.get(track.id, {})
        table = _table(f"Members by tier ({_called(track.name, track.id)})", "tier", "members", "share")
        known = {tier.id: _called(tier.name, tier.id) for tier in track.tiers}
        for tier in [*known, *(each for each in counts if each not in known)]:
            members = counts.get(tier, 0)
            table.add_row(known.get(tier, tier), f"{members:,}", f"{_percent(members, figures.members)} %")
        out.print(table)
    for wallet in program.wallets:
        each = figures.wallets.get(wallet.id)
        if each is not None:
            out.print(_wallet_table(program, wallet.id, each, zone, why_zero or {}))
            if each.campaigns:
                out.print(_campaign_table(program, each))
    if given:
        say_given(out, program, figures.given)


def say_refused(out: Console, figures: Figures) -> None:
    """Activities that came to nothing, by why."""
    for what, codes in (("refused", figures.refused), ("not readable", figures.invalid)):
        for code, count in sorted(codes.items()):
            out.print(f"[yellow]{plural(count, 'activity', 'activities')} {what}:[/] {code}")


def _wallet_table(program: Program, id: str, each: WalletFigures, zone: Zone, why_zero: Mapping[str, str]) -> Table:
    wallet = next(wallet for wallet in program.wallets if wallet.id == id)
    table = _table(_called(wallet.name, wallet.id), "", "points", "")
    table.add_row("issued", f"{each.issued:,}", "")
    for what, points in (
        ("taken back by returns", each.returned),
        ("adjusted", each.adjusted),
        ("spent", each.spent),
        ("expired", each.expired),
        ("written off", each.written_off),
        ("in transit", each.in_transit),
    ):
        if points or what in why_zero:
            table.add_row(what, f"{points:,}", "" if points else why_zero[what])
    worth = ""
    if wallet.money is not None:
        amount = floor_div(max(each.outstanding, 0) * wallet.money.worth, wallet.money.points)
        worth = f"worth {program.currency.code} {_grouped(format_minor(amount, program.currency.places))}"
    table.add_row("[bold]outstanding[/]", f"[bold]{each.outstanding:,}[/]", worth)
    for what, points in (("available", each.available), ("pending", each.pending), ("held", each.held)):
        if points:
            table.add_row(f"  {what}", f"{points:,}", "")
    if each.debt:
        table.add_row("  owed", f"-{each.debt:,}", "")
    lapses = list(in_order(each.expiring))
    for at, points in lapses[:EXPIRING_SHOWN]:
        table.add_row(
            "  good for ever" if at is None else "  good until", f"{points:,}", end_of(zone, at) if at else ""
        )
    rest = lapses[EXPIRING_SHOWN:]
    if rest:
        table.add_row("  good for longer", f"{sum(points for _, points in rest):,}", "")
    return table


def _campaign_table(program: Program, each: WalletFigures) -> Table:
    table = _table("Points by campaign", "campaign", "points", "share", "times")
    names = {campaign.id: _called(campaign.name, campaign.id) for campaign in program.campaigns}
    names |= {promotion.id: _called(promotion.name, promotion.id) for promotion in program.promotions}
    tiers = {f"{track.id}.{tier.id}": _called(tier.name, tier.id) for track in program.tracks for tier in track.tiers}
    granted = sorted(each.campaigns.items(), key=lambda item: -item[1].points)
    for key, grant in granted[:CAMPAIGNS_SHOWN]:
        campaign, _, rule = key.partition(TIER_BONUS)
        name = names.get(campaign, campaign)
        if rule:
            name = f"{tiers.get(rule, rule)}: more of {name}"
        table.add_row(name, f"{grant.points:,}", f"{_percent(grant.points, each.issued)} %", f"{grant.times:,}")
    return table


def comparison_as_json(program: Program, before: Figures, comparison: Comparison, zone: Zone) -> dict[str, Any]:
    """A comparison as JSON; `before` is what is stored."""
    wallets = {
        wallet: {
            **msgspec.to_builtins(each),
            "movers": [{**msgspec.to_builtins(mover), "by": mover.by} for mover in each.movers],
        }
        for wallet, each in comparison.wallets.items()
    }
    return {"stored": figures_as_json(program, before, zone), "wallets": wallets, "tier_moves": comparison.moves}


def say_comparison(out: Console, program: Program, before: Figures, after: Figures, comparison: Comparison) -> None:
    """What is otherwise than stored, in tables."""
    for wallet in sorted(before.wallets.keys() | after.wallets.keys()):
        was, is_ = before.wallet(wallet), after.wallet(wallet)
        table = _table(f"{wallet}: stored and simulated", "", "stored", "simulated", "difference", "")
        for what in ("issued", "returned", "adjusted", "spent", "expired", "written_off", "outstanding"):
            _add(table, what.replace("_", " "), getattr(was, what), getattr(is_, what))
        for campaign in sorted(was.campaigns.keys() | is_.campaigns.keys()):
            old, new = was.campaigns.get(campaign), is_.campaigns.get(campaign)
            _add(table, f"  {campaign}", old.points if old else 0, new.points if new else 0)
        out.print(table)
        each = comparison.wallets.get(wallet)
        if each is not None:
            out.print(
                f"{plural(each.gain, 'member gains', 'members gain')} {each.gained:,}, "
                f"{plural(each.lose, 'loses', 'lose')} {each.lost:,}, "
                f"{plural(each.same, 'keeps', 'keep')} what they have"
            )
            for mover in each.movers:
                out.print(f"  {mover.member}: {mover.before:,} -> {mover.after:,} ({mover.by:+,})", markup=False)
    for track, moves in comparison.moves.items():
        table = _table(f"{track}: who stands elsewhere", "from", "to", "members")
        for old_tier, targets in moves.items():
            for new_tier, members in targets.items():
                table.add_row(old_tier or "nowhere", new_tier or "nowhere", f"{members:,}")
        out.print(table)
    if not comparison.moves and program.tracks:
        out.print("Everybody stands on the tier on which they stand now.")
    say_given(out, program, after.given, before.given)


def _add(table: Table, what: str, was: int, is_: int) -> None:
    if was or is_:
        share = f"{_percent(is_ - was, was)} %" if was else ""
        table.add_row(what, f"{was:,}", f"{is_:,}", f"{is_ - was:+,}", share)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n == 0 else "right")
    return table


def _called(name: Texts, id: str) -> str:
    return name.get("en") or id


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0.0"


def _grouped(decimal: str) -> str:
    whole, point, fraction = decimal.partition(".")
    return f"{int(whole):,}{point}{fraction}"
