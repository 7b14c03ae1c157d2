"""`laurels check FILE`: every finding on a program document at once. No database is needed."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from laurels.cli.findings import shown_findings, summary_of
from laurels.cli.screen import No, ending, json_option
from laurels.core.program.loading import examine


@click.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def check_command(file: Path, *, as_json: bool) -> None:
    """Check a program document: all findings with line, column, code and hint.

    Exit code 1 if there is an error; warnings alone are no error.
    """
    with ending(as_json=as_json) as screen:
        document = file.read_text(encoding="utf-8", errors="surrogateescape")
        examined = examine(document)
        findings = examined.findings

        def say(out: Console) -> None:
            for line in shown_findings(str(file), document, findings):
                out.print(line)
            if examined.program is not None:
                out.print(f"[green]{file}: a program[/] ({examined.program.id}), {summary_of(findings)}")
            else:
                out.print(f"[red]{file}: not a program yet[/], {summary_of(findings)}")

        screen.result({"file": str(file), "valid": examined.program is not None, "findings": findings}, say)
        if examined.program is None:
            raise No
