"""The process behind `laurels` and `python -m laurels`: hands the wiring to the command line.

The wiring is imported when a command asks for it: checking a document needs no database and no HTTP, and neither do
the processes that a command starts.
"""

from __future__ import annotations

from typing import Any

from laurels import cli
from laurels.cli.outside import Outside, Planned, PlannedChange, Published, Stopped
from laurels.core.calendar import Instant
from laurels.core.program.finding import Finding
from laurels.core.refusal import Refusal
from laurels.store.programs import Mode


def main() -> None:
    """Carries out the command line and ends the process."""
    cli.run(outside)


def outside() -> Outside:
    """What commands need of the wiring and of the HTTP side."""
    from laurels import wiring  # noqa: PLC0415 - imported by those commands alone that need it
    from laurels.api.openapi import openapi_text  # noqa: PLC0415 - the same
    from laurels.api.publishing import Faulty, OtherProgram  # noqa: PLC0415 - the same
    from laurels.api.scopes import SCOPES  # noqa: PLC0415 - the same

    async def plan(running: Any, document: str) -> Planned | tuple[Finding, ...]:
        planned = await wiring.plan(running, document)
        if isinstance(planned, Faulty):
            return planned.findings
        changes = [PlannedChange(each.change, each.members, each.first_members) for each in planned.changes]
        return Planned(planned.against, tuple(changes), planned.broken, planned.findings)

    async def publish(
        running: Any, document: str, mode: Mode, effective_at: Instant | None
    ) -> Published | tuple[Finding, ...] | Refusal:
        published = await wiring.publish(running, document, mode=mode, effective_at=effective_at)
        assert not isinstance(published, OtherProgram), "a document is published in the program that it names"
        if isinstance(published, Faulty):
            return published.findings
        return published if isinstance(published, Refusal) else Published(published.version, published.findings)

    async def stop(running: Any, program: str, id: str, reason: str) -> Stopped | Refusal:
        done = await wiring.stop(running, program, id, reason)
        assert not isinstance(done, Faulty), "what was published has no errors, and an end adds none"
        if isinstance(done, Refusal):
            return done
        return Stopped(done.ends_at, tuple([version.number for version in done.versions]))

    return Outside(
        run_to_end=wiring.run_to_end,
        database_url=wiring.database_url,
        migrate=wiring.bring_up_to_date,
        application=wiring.application,
        serve=wiring.serve,
        serve_running=wiring.serve_running,
        work=wiring.work,
        plan=plan,
        publish=publish,
        stop=stop,
        make_key=wiring.make_key,
        scopes=lambda: {scope: sentence.en for scope, sentence in SCOPES.items()},
        openapi_text=openapi_text,
    )


if __name__ == "__main__":
    main()
