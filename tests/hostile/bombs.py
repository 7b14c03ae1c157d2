"""Mappings that would grow to gigabytes in a reader that follows them, and what becomes of them where memory is short.

Run as a program, in which there is a gigabyte and no more; it says for each what became of it and in what time.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Final

from laurels.intake.importing.mapping import WrongMapping, read_mapping

LAUGHS = "l0: &l0 [lol]\n" + "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
NESTS = "m0: &m0 {k: v}\n" + "".join(
    f"m{n}: &m{n} {{{', '.join(f'k{i}: *m{n - 1}' for i in range(9))}}}\n" for n in range(1, 12)
)
SOUND = "type: purchase\nid: a\nmember: b\noccurred_at: c\n"

# The anchors where a word allows anything, so that the aliases are what is judged.
INSIDE = SOUND + "data:\n  x: "


def _laughs() -> str:
    first = "&l0 [lol]"
    for n in range(1, 12):
        first = f"&l{n} [{', '.join([first, *[f'*l{n - 1}'] * 8])}]"
    return first


def _nests() -> str:
    first = "&m0 {k: v}"
    for n in range(1, 12):
        first = f"&m{n} {{k: {first}, {', '.join(f'k{i}: *m{n - 1}' for i in range(8))}}}"
    return first


BOMBS: Final = {
    "a billion laughs": LAUGHS + SOUND,
    "laughs in data": INSIDE + _laughs(),
    "laughs in a constant": SOUND + "data: {x: {constant: " + _laughs() + "}}",
    "laughs in a word": SOUND.replace("id: a", "id: " + _laughs()),
    "laughs as a key": LAUGHS + "? *l11\n: x\n",
    "laughs where a list belongs": SOUND + "leave_out: {x: " + _laughs() + "}",
    "laughs in lines": SOUND + "lines: {tags: " + _laughs() + "}",
    "nests": NESTS + SOUND,
    "nests in data": INSIDE + _nests(),
    "nests in a constant": SOUND + "data: {x: {constant: " + _nests() + "}}",
    "nests merged": SOUND + "<<: " + _nests(),
    "itself": SOUND + "data: &r {x: *r}\n",
    "itself in a list": SOUND + "lines: &r [*r]\n",
    "lists": "[" * 100_000,
    "mappings": "{a: " * 50_000,
    "keys": "? " * 50_000,
    "deep data": INSIDE + "{a: " * 500 + "x" + "}" * 500,
    "tags": "type: !!python/object/apply:os.system [exit]\n",
    "a date that cannot be": SOUND + "data: {x: 2026-02-30}\n",
    "a long number": SOUND + "data: {x: " + "9" * 500_000 + "}\n",
}


def defused(text: str) -> str:
    """What becomes of a mapping."""
    try:
        read_mapping(text)
    except WrongMapping as wrong:
        return "refused" if len(str(wrong)) < 100_000 else "refused at great length"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test wants to know
        return repr(error)[:200]
    return "read"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    for sort, text in BOMBS.items():
        started = time.perf_counter()
        outcome = defused(text)
        print(json.dumps([sort, outcome, time.perf_counter() - started]), flush=True)
