"""Findings on a program document, shown as compilers do: place, what is the matter, the line with a caret, a hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape

from laurels.core.program.finding import Finding

_CONTEXT_MOST = 120


def shown_findings(name: str, document: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Each finding as lines of text with Rich's markup."""
    lines = document.splitlines()
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        place = f"{name}:{finding.line}:{finding.column}"
        yield (
            f"[bold]{escape(place)}[/]: [{colour}]{finding.severity}[/] \\[{escape(finding.code)}] "
            f"{escape(finding.message)}"
        )
        if 1 <= finding.line <= len(lines):
            yield from _snippet(lines[finding.line - 1], finding.line, finding.column)
        if finding.hint:
            yield f"       [dim]hint:[/] {escape(finding.hint)}"


def _snippet(line: str, number: int, column: int) -> Iterator[str]:
    # A long line is shown around the place.
    start = max(column - 1 - _CONTEXT_MOST // 2, 0) if len(line) > _CONTEXT_MOST else 0
    part = "".join(map(_visible, line[start : start + _CONTEXT_MOST])).rstrip()
    before = part[: column - 1 - start]
    # A caret under a tab stands right only behind the same tabs.
    indent = "".join(character if character == "\t" else " " * _width(character) for character in before)
    yield f"[dim]{number:>5} |[/] {escape(part)}"
    yield f"[dim]      |[/] {indent}[bold]^[/]"


def _visible(character: str) -> str:
    """The character, or a sign in the place of one that is no text or would have a terminal do something."""
    return character if character == "\t" or character.isprintable() else "\ufffd"


def _width(character: str) -> int:
    """How many columns a terminal gives the character: two for Chinese and the like."""
    from unicodedata import east_asian_width  # noqa: PLC0415 - a table that most runs never need

    return 2 if east_asian_width(character) in ("W", "F") else 1


def summary_of(findings: Sequence[Finding]) -> str:
    """How many errors and warnings there are."""
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    parts = [f"{count} {what}{'' if count == 1 else 's'}" for count, what in ((errors, "error"), (warnings, "warning"))]
    return ", ".join(part for part in parts if not part.startswith("0 ")) or "no findings"
