"""The program itself: what is in effect, checking and planning a new version, publishing it, and moving the clock."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from laurels.api.activities import instant_of
from laurels.api.answer import When
from laurels.api.operation import Call, operation
from laurels.api.paging import NextCursor, PageQuery, page_of, place_of
from laurels.api.problem import ApiProblem, invalid
from laurels.api.publishing import Faulty, OtherProgram, PlannedChange, beside_batches, examine_apart, plan, publish
from laurels.api.stopping import stop
from laurels.api.texts import Texts
from laurels.core.calendar import Instant, Zone, format_instant
from laurels.core.explanation import Sentence
from laurels.core.program.change import Concerned
from laurels.core.program.finding import Finding
from laurels.core.program.loading import Examined
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as InputFinding
from laurels.core.wire import Word
from laurels.store.programs import StoredVersion, program_row, stored_versions

Document = Annotated[str, Meta(min_length=1, description="The program document, YAML or JSON, as text.")]


class DocumentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A program document. It may also be sent as it is, with `Content-Type: application/yaml`."""

    document: Document


class NewVersion(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A document to be published. It may also be sent as it is, with `Content-Type: application/yaml`."""

    document: Document
    effective_at: Annotated[
        Word | None,
        Meta(
            description="RFC 3339. By default the first version is in effect from the beginning and later ones from "
            "now on, which for a live program is eleven seconds from now."
        ),
    ] = None


class CheckAnswer(Struct, frozen=True):
    """All findings at once, from the top of the document to its end."""

    ok: Annotated[bool, Meta(description="Whether there is no error among the findings.")]
    findings: tuple[Finding, ...]


class ChangeAnswer(Struct, frozen=True, kw_only=True):
    """One thing that the new version would do otherwise."""

    path: Annotated[str, Meta(description="JSON pointer in the document.")]
    kind: Literal["added", "removed", "changed", "renamed"]
    before: str | None
    after: str | None
    text: Texts
    takes_away: bool
    concerns: Annotated[Concerned | None, Meta(description="From whom it takes something, by rule.")]
    members: Annotated[int, Meta(description="How many members these are, as last recorded.")]
    first_members: Annotated[
        tuple[str, ...], Meta(description="The first hundred of them by id, for keys that may read members.")
    ]
    needs_mapping: Annotated[bool, Meta(description="It has to say under `retired` where its holders go.")]


class BrokenDraw(Struct, frozen=True):
    """A draw whose change would be refused now."""

    draw: str
    code: Annotated[str, Meta(description="`needs_reason`, `draw_closed` or `draw_opened`.")]


class PlanAnswer(Struct, frozen=True, kw_only=True):
    """What a document would change, and whom it would take something from."""

    ok: Annotated[bool, Meta(description="Whether it could be published.")]
    findings: tuple[Finding, ...]
    against: Annotated[int | None, Meta(description="The version it is compared with; null before the first.")]
    changes: tuple[ChangeAnswer, ...]
    refused: Annotated[
        tuple[BrokenDraw, ...], Meta(description="Draws that keep it from being published now, and why.")
    ] = ()


class VersionAnswer(Struct, frozen=True, kw_only=True):
    """A published version."""

    number: int
    effective_at: Annotated[When | None, Meta(description="Null: from the beginning.")]
    published_at: When


class VersionSaved(VersionAnswer, frozen=True, kw_only=True):
    """A version as published, and the warnings that its document got."""

    findings: tuple[Finding, ...]


class VersionDocument(VersionAnswer, frozen=True, kw_only=True):
    """A published version with its document."""

    document: str


class VersionList(Struct, frozen=True):
    """Versions, newest first."""

    items: tuple[VersionAnswer, ...]
    next_cursor: NextCursor


class ProgramAnswer(Struct, frozen=True, kw_only=True):
    """The program that the key belongs to."""

    program: str
    mode: Literal["setup", "sandbox", "live"]
    now: Annotated[When | None, Meta(description="What time it is in the program; null before anything happened.")]
    version: Annotated[int | None, Meta(description="The version in effect now.")]
    newest_version: int | None
    name: Texts
    time_zone: str | None
    currency: str | None
    wallets: Annotated[dict[str, Texts], Meta(description="Names by id.")]
    tracks: Annotated[dict[str, dict[str, Texts]], Meta(description="Names of tiers by track and tier, lowest first.")]


class NewTime(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the clock goes."""

    now: Annotated[Word, Meta(description="RFC 3339 with an offset.")]


class ClockAnswer(Struct, frozen=True, kw_only=True):
    """The clock as it stands, and how often a member was woken on the way because something fell due."""

    before: When | None
    now: When
    woken: int


@operation(
    "GET", "/v1/program", tag="Program", summary=Sentence("Read the program", "读取计划"), scopes=("program:read",)
)
async def read_program(call: Call) -> ProgramAnswer:
    """The program that the key belongs to: its mode, its time and what is in effect."""
    row = await program_row(call.services.database, call.program)
    assert row is not None
    now = call.services.clock.now() if row.mode == "live" else row.clock
    versions = await call.services.intake.versions(call.program)
    newest = max([version.number for version in versions.versions], default=None)
    compiled = versions.at(call.services.clock.now() if now is None else now)
    program = None if compiled is None else compiled.program
    return ProgramAnswer(
        program=row.id,
        mode=row.mode,
        now=None if now is None else format_instant(now, None if compiled is None else compiled.zone),
        version=None if compiled is None else compiled.number,
        newest_version=newest,
        name={} if program is None else program.name,
        time_zone=None if program is None else program.time_zone,
        currency=None if program is None else program.currency.code,
        wallets={} if program is None else {wallet.id: wallet.name for wallet in program.wallets},
        tracks={}
        if program is None
        else {track.id: {tier.id: tier.name for tier in track.tiers} for track in program.tracks},
    )


@operation(
    "POST",
    "/v1/program/check",
    tag="Program",
    summary=Sentence("Check a document", "检查计划文档"),
    scopes=("program:read",),
    takes_text=True,
    takes_key=False,
)
async def check_document(call: Call, body: DocumentBody) -> CheckAnswer:  # noqa: ARG001 - a check needs only the right
    """Every finding with line, column, code and a hint. Warnings do not keep a document from being published."""
    examined = await examine_apart(body.document)
    return CheckAnswer(examined.program is not None, examined.findings)


@operation(
    "POST",
    "/v1/program/plan",
    tag="Program",
    summary=Sentence("Preview a new version", "预览新版本的变更"),
    scopes=("program:read",),
    codes=("other_program",),
    takes_text=True,
    takes_key=False,
)
async def plan_version(call: Call, body: DocumentBody) -> PlanAnswer:
    """What the document changes against the newest version, and which members each change takes something from."""
    examined = await examine_apart(body.document)
    if examined.program is None:
        return PlanAnswer(ok=False, findings=examined.findings, against=None, changes=())
    _refuse_other(call, examined)
    versions = await call.services.intake.versions(call.program)
    now = await call.services.now(call.program)
    planned = await plan(call.services.database, versions, examined.program, now)
    examined = await beside_batches(call.services.database, versions, examined, body.document)
    return PlanAnswer(
        ok=not planned.unmapped and not planned.broken,
        findings=examined.findings,
        against=planned.against,
        changes=tuple([_change(each, lists=call.caller.may("members:read")) for each in planned.changes]),
        refused=tuple([BrokenDraw(*each) for each in planned.broken]),
    )


@operation(
    "POST",
    "/v1/program/versions",
    tag="Program",
    summary=Sentence("Publish a version", "发布版本"),
    scopes=("program:write",),
    status=201,
    codes=(
        "program_invalid",
        "other_program",
        "needs_mapping",
        "needs_reason",
        "draw_closed",
        "draw_opened",
        "effective_too_soon",
    ),
    takes_text=True,
)
async def publish_document(call: Call, body: NewVersion) -> VersionSaved:
    """Publishes the document as the next version, which is permanent. Preview it first."""
    effective_at: Instant | None = None
    if body.effective_at is not None:
        stated = instant_of(body.effective_at, "/effective_at")
        if isinstance(stated, InputFinding):
            raise invalid(stated)
        effective_at = stated
    services = call.services
    versions = await services.intake.versions(call.program)
    now = await services.now(call.program)
    published = await publish(
        services.database, services.clock, versions, call.program, body.document, effective_at, now
    )
    assert published is not None
    if isinstance(published, Faulty):
        raise _faulty(published.findings)
    if isinstance(published, OtherProgram):
        raise ApiProblem.of(Refusal("other_program", f"It describes {published.id}."))
    if isinstance(published, Refusal):
        raise ApiProblem.of(published)
    services.rendering.forget(call.program)
    zone = (await services.compiled(call.program, now)).zone
    return VersionSaved(findings=published.findings, **msgspec.structs.asdict(_version(published.version, zone)))


class StopBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is stopped."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, description="Kept as a comment of the document.")]


class StoppedAnswer(Struct, frozen=True, kw_only=True):
    """Since when it has ended, and the versions that say so."""

    id: str
    ends_at: When
    versions: Annotated[
        tuple[VersionAnswer, ...], Meta(description="The one in effect from then on, and those scheduled for later.")
    ]


@operation(
    "POST",
    "/v1/program/campaigns/{campaign}/stop",
    tag="Program",
    summary=Sentence("Stop a campaign at once", "立即停止营销活动"),
    scopes=("program:write",),
    status=201,
    codes=("nothing_to_stop", "program_invalid", "needs_mapping", "needs_reason", "draw_closed", "effective_too_soon"),
)
async def stop_campaign(call: Call, campaign: str, body: StopBody) -> StoppedAnswer:
    """Publishes the version in effect with an end for a campaign, promotion or kind of voucher, as early as can be.

    That is some ten seconds from now in a live program. The document is otherwise as it was, comments included; what is
    scheduled for later is published anew with the same end. Reserved quotes are kept.
    """
    services = call.services
    now = await services.now(call.program)
    done = await stop(
        services.database,
        services.clock,
        lambda: services.intake.versions(call.program),
        call.program,
        campaign,
        body.reason,
        now,
    )
    if isinstance(done, Faulty):
        raise _faulty(done.findings)
    if isinstance(done, Refusal):
        raise ApiProblem.of(done)
    services.rendering.forget(call.program)
    zone = (await services.compiled(call.program, now)).zone
    return StoppedAnswer(
        id=campaign,
        ends_at=zone.format(done.ends_at),
        versions=tuple([_version(version, zone) for version in done.versions]),
    )


@operation(
    "GET",
    "/v1/program/versions",
    tag="Program",
    summary=Sentence("List the versions", "列出版本"),
    scopes=("program:read",),
)
async def list_versions(call: Call, query: PageQuery) -> VersionList:
    """All published versions, newest first."""
    before = place_of(query.cursor, int)
    found = await stored_versions(call.services.database, call.program)
    items = [version for version in reversed(found) if before is None or version.number < before]
    page, next_cursor = page_of(items, query.limit, lambda each: each.number)
    if not page:
        return VersionList((), None)
    zone = (await call.services.present(call.program)).zone
    return VersionList(tuple([_version(version, zone) for version in page]), next_cursor)


@operation(
    "GET",
    "/v1/program/versions/{number}",
    tag="Program",
    summary=Sentence("Read a version", "读取版本"),
    scopes=("program:read",),
    codes=("no_such_version", "no_version_yet"),
)
async def read_version(call: Call, number: str) -> VersionDocument:
    """A version with its document, as it was published."""
    found = await stored_versions(call.services.database, call.program)
    version = next((each for each in found if str(each.number) == number), None)
    if version is None:
        raise ApiProblem("no_such_version")
    zone = (await call.services.present(call.program)).zone
    return VersionDocument(document=version.document, **msgspec.structs.asdict(_version(version, zone)))


@operation(
    "POST",
    "/v1/clock",
    tag="Program",
    summary=Sentence("Move the clock", "推动时钟"),
    scopes=("clock:write",),
    codes=("overloaded", "clock_is_real", "clock_backwards", "clock_too_far"),
)
async def move_clock(call: Call, body: NewTime) -> ClockAnswer:
    """Moves the clock of a program in setup or sandbox forward.

    Everything that falls due on the way is carried out in order before this answers.
    """
    to = instant_of(body.now, "/now")
    if isinstance(to, InputFinding):
        raise invalid(to)
    services = call.services
    moved = await services.intake.move_clock(call.program, to)
    if isinstance(moved, Refusal):
        raise ApiProblem.of(moved)
    versions = await services.rendering.versions(call.program)
    zone = versions.judging(moved.now).zone if versions.versions else None
    call.counts["woken"] = moved.woken
    return ClockAnswer(
        before=None if moved.before is None else format_instant(moved.before, zone),
        now=format_instant(moved.now, zone),
        woken=moved.woken,
    )


def _refuse_other(call: Call, examined: Examined) -> None:
    if examined.program is not None and examined.program.id != call.program:
        raise ApiProblem.of(Refusal("other_program", f"It describes {examined.program.id}."))


def _faulty(findings: tuple[Finding, ...]) -> ApiProblem:
    errors = tuple(
        [
            InputFinding(finding.path, finding.code, f"{finding.line}:{finding.column}: {finding.message}")
            for finding in findings
            if finding.severity == "error"
        ]
    )
    extra: dict[str, Any] = {"findings": msgspec.to_builtins(findings)}
    return ApiProblem("program_invalid", errors=errors, extra=extra)


def _change(planned: PlannedChange, *, lists: bool) -> ChangeAnswer:
    change = planned.change
    return ChangeAnswer(
        path=change.path,
        kind=change.kind,
        before=change.before,
        after=change.after,
        text=change.texts,
        takes_away=change.takes_away,
        concerns=change.concerns,
        members=planned.members,
        first_members=planned.first_members if lists else (),
        needs_mapping=change.needs_mapping,
    )


def _version(version: StoredVersion, zone: Zone) -> VersionAnswer:
    return VersionAnswer(
        number=version.number,
        effective_at=zone.format(version.effective_at) if version.effective_at else None,
        published_at=zone.format(version.published_at),
    )
