"""What was found: kept in latest.json by group, printed as a table, and shown in README.md and docs/performance.md.

A run of some groups replaces these and keeps the others, unless they are of another machine. A quick run says too
little to be kept beside the code: it goes to var/bench/quick.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.ground import HOME
from benchmarks.machine import Machine, machine, versions
from benchmarks.measure import Contender, Figure, Options, Report

HERE: Final = Path(__file__).parent
LATEST: Final = HERE / "latest.json"
README: Final = HERE / "README.md"
PERFORMANCE: Final = HERE.parent / "docs" / "performance.md"


class Group(msgspec.Struct, frozen=True):
    """A group of benchmarks and when it was run."""

    measured_at: str
    seconds: int
    slice_seconds: float
    versions: dict[str, str]
    figures: list[Figure]
    contenders: list[Contender]


class Latest(msgspec.Struct, frozen=True):
    """All that is known of one machine."""

    machine: Machine
    groups: dict[str, Group]


def kept(quick: bool) -> Path:
    """Where results of a run are kept."""
    return HOME / "quick.json" if quick else LATEST


def keep(name: str, report: Report, seconds: float, options: Options) -> None:
    """Puts a group's results in the place of its former ones."""
    file = kept(options.quick)
    here = machine()
    before = read(file)
    groups = before.groups if before is not None and before.machine == here else {}
    groups[name] = Group(
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        round(seconds),
        options.seconds,
        versions(),
        report.figures,
        report.contenders,
    )
    latest = Latest(here, groups)
    text = msgspec.json.format(msgspec.json.encode(_said(latest)), indent=2).decode()
    file.write_text(text + "\n", encoding="utf-8")


def _said(latest: Latest) -> Any:
    """As JSON, with whether each target was met."""
    said = msgspec.to_builtins(latest)
    for name, group in latest.groups.items():
        for figure, written in zip(group.figures, said["groups"][name]["figures"], strict=True):
            written["met"] = figure.met
    return said


def read(file: Path) -> Latest | None:
    """What is kept, if anything is; what an older one of these programs kept has no meaning any more."""
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Latest)
    except msgspec.ValidationError:
        return None


# --- as tables ---


def table(report: Report) -> str:
    """A group for the screen."""
    lines = []
    for figure in report.figures:
        mark = {True: "met", False: "MISSED", None: ""}[figure.met]
        lines.append(
            f"  {figure.name:32}{_value(figure):>14}  {_range(figure):24}{_target(figure):>18}  {mark:6} {figure.note}"
        )
    for each in report.contenders:
        cpu = ", ".join(f"{who} {used:,.0f}" for who, used in each.cpu_us.items())
        rows = ", ".join(f"{name} {count:,g}" for name, count in each.rows_each.items())
        lines.append(f"  {each.name:18}{each.per_second:>10,.0f}/s  us of processor each: {cpu}")
        lines.append(f"  {'':18}{each.wal_bytes_each:,} B of log each" + (f"; rows: {rows}" if rows else ""))
    return "\n".join(lines)


def write_pages() -> None:
    """The tables of README.md and of docs/performance.md, anew from latest.json."""
    latest = read(LATEST)
    if latest is None:
        return
    for page, parts in PARTS.items():
        text = page.read_text(encoding="utf-8")
        for part, written in parts.items():
            begin, end = f"<!-- {part}: written by make bench -->\n", f"<!-- end of {part} -->\n"
            head, found, rest = text.partition(begin)
            former, closed, tail = rest.partition(end)
            assert found + closed == begin + end, f"{page.name} has no place for {part}"
            text = head + begin + (written(latest) or former) + end + tail
        page.write_text(text, encoding="utf-8")


def markdown(latest: Latest) -> str:
    """The tables of README.md."""
    on = latest.machine
    parts = [f"\n{on.processor}, {on.cores} cores, {on.memory_gb} GB, {on.kernel}.\n"]
    for name, group in latest.groups.items():
        parts.append(f"\n### {name}\n\n{group.measured_at}, {group.seconds} s; {_counted(group)}.\n")
        parts.append("\n| Figure | | Value | Of rounds | Target | |\n|---|---|--:|---|--:|---|\n")
        for figure in group.figures:
            mark = {True: "met", False: "missed", None: ""}[figure.met]
            what = f"{figure.what}; {figure.note}" if figure.note else figure.what
            cells = (f"`{figure.name}`", what, _value(figure), _range(figure), _target(figure), mark)
            parts.append(f"| {' | '.join(cells)} |\n")
        if group.contenders:
            parts.append("\n| Contender | Activities/s | p50, p99 ms | Processor us each | Rows | Log each |\n")
            parts.append("|---|--:|--:|---|---|--:|\n")
            parts += [f"| {' | '.join(_cells(each))} |\n" for each in group.contenders]
    newest = max(latest.groups.values(), key=lambda group: group.measured_at, default=None)
    if newest is not None:
        parts.append(f"\n{', '.join(f'{name} {number}' for name, number in newest.versions.items())}.\n")
    return "".join(parts)


def ratios(latest: Latest) -> str:
    """Everything that something is asked of, and every other ratio; the far database has a table of its own."""
    figures = [
        figure
        for name, group in latest.groups.items()
        for figure in group.figures
        if name != "remote" and (figure.unit == "x" or figure.target is not None)
    ]
    rows = [
        (
            f"`{figure.name}`",
            f"{figure.what}; {figure.note}" if figure.note else figure.what,
            _value(figure),
            _target(figure),
            {True: "met", False: "missed", None: ""}[figure.met],
        )
        for figure in figures
    ]
    return _table(("Figure", "", "Value", "Target", ""), "llrrl", rows)


def profile(latest: Latest) -> str:
    """Microseconds of the server's processor for a purchase by stage, and of deciding alone."""
    rows = [
        (figure.what.partition(":")[0] if name == "profile" else figure.what, where, _value(figure))
        for name, where in (("profile", "server, 64 connections"), ("replay", "without a store, one process"))
        if name in latest.groups
        for figure in latest.groups[name].figures
        if figure.unit == "us"
    ]
    return _table(("Stage", "Where", "A purchase"), "llr", rows)


def far(latest: Latest) -> str:
    """What distance and a slow disk cost."""
    group = latest.groups.get("remote")
    if group is None:
        return ""
    beside = {figure.name.removesuffix("_vs_local"): _value(figure) for figure in group.figures if figure.unit == "x"}
    rows = []
    for each in group.contenders:
        name, rate, latency, cpu, *_ = _cells(each)
        rows.append((name, rate, beside.get(each.name, ""), latency, cpu))
    return _table(("Contender", "Activities/s", "Beside `local`", "p50, p99 ms", "Processor us each"), "lrrll", rows)


def _table(head: tuple[str, ...], sides: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    rule = "|".join("--:" if side == "r" else "---" for side in sides)
    return "\n".join(["", f"| {' | '.join(head)} |", f"|{rule}|", *lines, ""]) + "\n"


def _counted(group: Group) -> str:
    return f"turns of {group.slice_seconds:g} s" if group.contenders else "no turns"


def _cells(each: Contender) -> tuple[str, ...]:
    latency = "" if each.p50_ms is None or each.p99_ms is None else f"{each.p50_ms:,.1f}, {each.p99_ms:,.1f}"
    cpu = ", ".join(f"{who} {used:,.0f}" for who, used in each.cpu_us.items())
    rows = ", ".join(f"{name} {count:,g}" for name, count in each.rows_each.items())
    rate = f"{each.per_second:,.0f} ({each.low:,.0f} to {each.high:,.0f})"
    return f"`{each.name}`: {each.what}", rate, latency, cpu, rows, f"{each.wal_bytes_each:,} B"


def _value(figure: Figure) -> str:
    return _number(figure.value, figure.unit)


def _number(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.2f} x"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"
    return f"{text}{unit}" if unit.startswith("/") else f"{text} {unit}"


def _range(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{_number(figure.low, figure.unit)} to {_number(figure.high, figure.unit)}"


def _target(figure: Figure) -> str:
    return "" if figure.target is None else f"{figure.better} {figure.target:,g}"


PARTS: Final[dict[Path, dict[str, Callable[[Latest], str]]]] = {
    README: {"results": markdown},
    PERFORMANCE: {"ratios": ratios, "profile": profile, "remote": far},
}
"""What of which page is written anew."""
