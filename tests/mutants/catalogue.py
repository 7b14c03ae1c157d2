"""The mutants: patches that each break a law of the design, and name the tests that must catch it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.patching import Patch, Unfit, read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
README = HERE / "README.md"

LAWS = {
    0: "The write path: one transaction, members locked, ids probed after, answered when it is durable",
    1: "Points are integers, money is exact, and every division says how it rounds",
    2: "The journal is double-entry and append-only",
    3: "State is the fold of facts, and `verify` proves it",
    4: "An id is accepted once, and sent again it gets the same answer",
    5: "The order in which lots are consumed, and when they expire",
    6: "A return is exact to the line",
    7: "A redemption is held, then ends once",
    8: "Time is the program's, to the instant",
    9: "Versions are dated, immutable, and said before they are published",
    10: "Limits are never exceeded",
    11: 'A "no" is a refusal from the closed list, and writes nothing',
    12: "Personal data lies apart from the journal",
    13: "A draw is drawn once, by chance that nobody chooses, among those who have a part in it",
}

HEADING = re.compile(r"Law (\d+): (.+)\n((?:Caught by: .+\n)+)\n?")


@dataclass(frozen=True)
class Mutant:
    """A patch that breaks a law; `what` it does, and the ids of the tests, every one of which must fail under it."""

    name: str
    law: int
    what: str
    caught_by: tuple[str, ...]
    patch: Patch


def mutants() -> tuple[Mutant, ...]:
    """All of them, by name."""
    return tuple(_mutant(path) for path in sorted(HERE.glob("*.patch")))


def _mutant(path: Path) -> Mutant:
    patch = read(path.read_text(encoding="utf-8"))
    heading = HEADING.fullmatch(patch.heading)
    if heading is None:
        raise Unfit(f"{path.name} does not say which law it breaks and which tests catch it")
    law, what, tests = int(heading[1]), heading[2], heading[3]
    if not path.name.startswith(f"law_{law:02}_"):
        raise Unfit(f"{path.name} says that it breaks law {law}")
    caught_by = tuple(line.removeprefix("Caught by: ") for line in tests.splitlines())
    return Mutant(path.stem, law, what, caught_by, patch)


def table() -> str:
    """The mutants as the README lists them."""
    lines: list[str] = []
    known = mutants()
    for law, sentence in LAWS.items():
        title = f"{law}. {sentence}" if law else sentence
        lines += ["", f"### {title}", "", "| Patch | The mutant | Caught by |", "|---|---|---|"]
        for mutant in known:
            if mutant.law == law:
                tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in mutant.caught_by)
                lines.append(f"| `{mutant.name}` | {mutant.what} | {tests} |")
    return "\n".join(lines).lstrip("\n") + "\n"


BEGIN, END = "<!-- the table -->\n", "<!-- the end of the table -->\n"


def page_with_table(page: str) -> str:
    """The README with the table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"
