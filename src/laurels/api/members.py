"""Members: joining, changing, finding, and the erasure and export of what is personal.

Attributes are what rules read, and change by activity alone. Profiles and identifiers are who somebody is: they lie
apart from the journal and can be erased from there, after which nothing more is recorded for the member.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from laurels.api.activities import IdentifierBody, instant_of
from laurels.api.answer import ActivityAnswer, When, balances, tiers
from laurels.api.operation import Call, operation
from laurels.api.own import submit_own
from laurels.api.paging import Cursor, Limit, NextCursor, page_of, place_of
from laurels.api.problem import ApiProblem, invalid
from laurels.core.calendar import Instant, Zone, parse_date
from laurels.core.case import segments_now
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.member import Member, Root
from laurels.core.money import format_minor
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.core.wire import Id, Word
from laurels.store import people, reading
from laurels.store.people import Identifier, IdentifierTaken, Profile
from laurels.store.reading import MemberRow

IDENTIFIERS_MOST: Final = 20

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Phone = Annotated[
    str, Meta(min_length=3, max_length=50, pattern=r"^[+0-9][0-9 ().\-/]*$", examples=["+86 138 0000 0000"])
]
Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["li@example.com"])]
BirthDate = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["1990-05-17"])]
Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35, examples=["zh-CN"])]
TimeZone = Annotated[str, Meta(min_length=1, max_length=60, description="IANA.", examples=["Asia/Shanghai"])]
Identifiers = Annotated[tuple[IdentifierBody, ...], Meta(max_length=IDENTIFIERS_MOST)]
Attributes = Annotated[dict[str, Any], Meta(description="Declared under `fields: member:`; rules read them.")]


class ProfileBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who somebody is. No rule reads it."""

    name: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    birth_date: BirthDate | None = None
    locale: Locale | None = None
    time_zone: TimeZone | None = None


class ProfileChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changes of a profile; null removes."""

    name: Name | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    birth_date: BirthDate | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType | None = UNSET


class NewMember(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who joins."""

    id: Annotated[Id, Meta(description="Yours; permanent, and nothing personal.")]
    enrolled_at: Annotated[Word | None, Meta(description="RFC 3339 with an offset; now by default.")] = None
    referral_code: Id | None = None
    attributes: Attributes = {}
    profile: ProfileBody = ProfileBody()
    identifiers: Identifiers = ()


class ChangedMember(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changes about a member. In attributes and profile null removes; identifiers are replaced as a whole."""

    attributes: Attributes | UnsetType = UNSET
    profile: ProfileChange | UnsetType = UNSET
    identifiers: Identifiers | UnsetType = UNSET


class MemberSaved(Struct, frozen=True):
    """The member's id, and what became of the activity by which rules learn of it (null: rules need not)."""

    id: str
    activity: ActivityAnswer | None


class MemberAnswer(Struct, frozen=True, kw_only=True):
    """A member. Of an erased one, profile and identifiers are empty for good."""

    id: str
    enrolled_at: When | None
    erased_at: When | None
    referral_code: str | None
    attributes: Attributes
    segments: Annotated[
        tuple[str, ...], Meta(description="Those of the program whose conditions hold for the member now.")
    ]
    profile: ProfileBody
    identifiers: tuple[IdentifierBody, ...]


class MemberItem(Struct, frozen=True, kw_only=True):
    """A member in a list."""

    id: str
    enrolled_at: When | None
    erased_at: When | None
    name: str | None
    available: Annotated[dict[str, int], Meta(description="By wallet, as of now.")]
    tiers: Annotated[dict[str, str], Meta(description="By track, as of now.")]


class MemberList(Struct, frozen=True):
    """Members by id."""

    items: tuple[MemberItem, ...]
    next_cursor: NextCursor


class MemberQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which members."""

    query: (
        Annotated[
            str, Meta(max_length=200, description="Beginning of an id, name, phone or e-mail; or a whole identifier.")
        ]
        | None
    ) = None
    limit: Limit = 50
    cursor: Cursor | None = None


class WrittenText(Struct, frozen=True, kw_only=True):
    """An activity of the member as it was sent, with what was written in it."""

    source: str
    id: str
    type: str
    occurred_at: When
    data: dict[str, Any]


class PersonalData(Struct, frozen=True, kw_only=True):
    """Everything kept about a person: who they are, what rules read, and what they did, oldest first."""

    member: MemberAnswer
    activities: tuple[WrittenText, ...]
    next_cursor: NextCursor


class PersonalDataQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of the activities."""

    limit: Limit = 100
    cursor: Cursor | None = None


@operation(
    "POST",
    "/v1/members",
    tag="Members",
    summary=Sentence("Enrol a member", "会员入会"),
    scopes=("members:write",),
    status=201,
    codes=(
        "overloaded", "already_enrolled", "identifier_taken", "occurred_in_future", "unknown_program_version",
        "member_sealed",
    ),
)  # fmt: skip
async def enrol_member(call: Call, body: NewMember) -> MemberSaved:
    """Joins a member, which campaigns on `enrol` may reward. Profile and identifiers lie apart from the journal."""
    _check_profile(body.profile)
    identifiers = _identifiers(body.identifiers)
    enrolled_at: Instant | None = None
    if body.enrolled_at is not None:
        stated = instant_of(body.enrolled_at, "/enrolled_at")
        if isinstance(stated, Finding):
            raise invalid(stated)
        enrolled_at = stated
    await _refuse_taken(call, body.id, identifiers)
    data: dict[str, Any] = {"attributes": body.attributes}
    if body.referral_code is not None:
        data["referral_code"] = body.referral_code
    if body.profile.time_zone is not None:
        data["time_zone"] = body.profile.time_zone
    recorded = await submit_own(call, body.id, "enrol", data, occurred_at=enrolled_at)
    services = call.services
    if body.profile != ProfileBody():
        profile = msgspec.convert(msgspec.to_builtins(body.profile), Profile)
        await people.put_profile(services.database, services.clock, call.program, body.id, profile)
    if identifiers:
        await _put_identifiers(call, body.id, identifiers)
    return MemberSaved(body.id, recorded.answer)


@operation(
    "PATCH",
    "/v1/members/{member}",
    tag="Members",
    summary=Sentence("Change a member", "修改会员"),
    scopes=("members:write",),
    codes=(
        "overloaded",
        "no_such_member",
        "identifier_taken",
        "member_sealed",
        "attributes_too_large",
        "unknown_program_version",
    ),
)
async def change_member(call: Call, member: str, body: ChangedMember) -> MemberSaved:
    """Changes what is given. Attributes become an activity, so that what rules read changes by activity alone."""
    services = call.services
    row = await row_of(call, member)
    if row.sealed_at is not None:
        raise ApiProblem.of(Refusal("member_sealed"))
    if body.profile is not UNSET:
        _check_profile(body.profile)
    identifiers = None if body.identifiers is UNSET else _identifiers(body.identifiers)
    if identifiers is not None:
        await _refuse_taken(call, member, identifiers)
    activity = None
    if body.attributes is not UNSET and body.attributes:
        activity = (await submit_own(call, member, "member_change", {"attributes": body.attributes})).answer
    if body.profile is not UNSET:
        before = await people.profile_of(services.database, call.program, member) or Profile()
        profile = msgspec.convert({**msgspec.to_builtins(before), **msgspec.to_builtins(body.profile)}, Profile)
        await people.put_profile(services.database, services.clock, call.program, member, profile)
    if identifiers is not None:
        await _put_identifiers(call, member, identifiers)
    return MemberSaved(member, activity)


@operation(
    "GET",
    "/v1/members/{member}",
    tag="Members",
    summary=Sentence("Read a member", "读取会员"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def read_member(call: Call, member: str) -> MemberAnswer:
    """Who a member is and what rules read about them."""
    return await _member(call, await row_of(call, member))


@operation(
    "GET",
    "/v1/members",
    tag="Members",
    summary=Sentence("Find members", "查找会员"),
    scopes=("members:read",),
    codes=("no_version_yet",),
)
async def list_members(call: Call, query: MemberQuery) -> MemberList:
    """Members by id, or those whose id, name, phone number or e-mail address begins with `query`.

    Also found is who is known by `query` to the letter, such as the number of a card. Figures are as of now.
    """
    services = call.services
    after = place_of(query.cursor, str) or ""
    found = await services.intake.look_at_page(
        call.program, after=after, limit=query.limit + 1, query=query.query or None
    )
    page, next_cursor = page_of(found, query.limit, lambda each: each[0].id)
    profiles = await people.profiles_of(services.database, call.program, [row.id for row, _member in page])
    compiled = await services.present(call.program)
    items = tuple([_item(row, member, profiles.get(row.id), compiled) for row, member in page])
    return MemberList(items, next_cursor)


@operation(
    "DELETE",
    "/v1/members/{member}",
    tag="Members",
    summary=Sentence("Erase a member's personal data", "清除会员个人信息"),
    scopes=("members:erase",),
    status=204,
    codes=("no_such_member",),
)
async def erase_member(call: Call, member: str) -> None:
    """Erases profile, identifiers and free texts for good and seals the member: nothing more is recorded for them.

    The journal stays, without anything that says whose it was.
    """
    await row_of(call, member)
    await people.erase(call.services.database, call.services.clock, call.program, member)


@operation(
    "GET",
    "/v1/members/{member}/personal_data",
    tag="Members",
    summary=Sentence("Export a member's personal data", "导出会员个人信息"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def export_member(call: Call, member: str, query: PersonalDataQuery) -> PersonalData:
    """Everything kept about a person, to be handed to them: page by page where they did much."""
    row = await row_of(call, member)
    after = place_of(query.cursor, int) or 0
    found = await reading.activities(call.services.database, call.program, member, after=after, limit=query.limit + 1)
    page, next_cursor = page_of(found, query.limit, lambda each: each.seq)
    compiled = await call.services.present(call.program)
    written = tuple(
        [
            WrittenText(
                source=each.source,
                id=each.id,
                type=each.type,
                occurred_at=compiled.zone.format(each.occurred_at),
                data=whole_data(each.body, each.texts),
            )
            for each in page
        ]
    )
    return PersonalData(member=await _member(call, row), activities=written, next_cursor=next_cursor)


def whole_data(body: str, texts: str | None) -> dict[str, Any]:
    """An activity's data with the texts that are kept apart from them."""
    data: dict[str, Any] = msgspec.json.decode(body)
    return data if texts is None else {**data, **msgspec.json.decode(texts)}


def shown_attributes(root: Root, compiled: Compiled) -> dict[str, Any]:
    """Attributes as they were sent: money as decimals, instants as RFC 3339."""
    fields = {field.name: field.type for field in compiled.declared.fields.get("member", ())}
    shown: dict[str, Any] = {}
    for name, value in root.attributes.items():
        kind = fields.get(name)
        if kind == "money" and isinstance(value, int):
            shown[name] = format_minor(value, compiled.declared.places)
        elif kind == "timestamp" and isinstance(value, int):
            shown[name] = compiled.zone.format(value)
        else:
            shown[name] = value
    return shown


async def row_of(call: Call, member: str) -> MemberRow:
    row = await reading.member_row(call.services.database, call.program, member)
    if row is None:
        raise ApiProblem("no_such_member")
    return row


async def _member(call: Call, row: MemberRow) -> MemberAnswer:
    database, program = call.services.database, call.program
    compiled = await call.services.present(program)
    profile = await people.profile_of(database, program, row.id) or Profile()
    identifiers = await people.identifiers_of(database, program, row.id)
    root = row.root
    return MemberAnswer(
        id=row.id,
        enrolled_at=_shown(root.enrolled_at, compiled),
        erased_at=_shown(row.sealed_at, compiled),
        referral_code=root.referral_code,
        attributes=shown_attributes(root, compiled),
        segments=await _segments(call, row, compiled),
        profile=msgspec.convert(msgspec.to_builtins(profile), ProfileBody),
        identifiers=tuple([IdentifierBody(each.kind, each.value) for each in identifiers]),
    )


async def _segments(call: Call, row: MemberRow, compiled: Compiled) -> tuple[str, ...]:
    """The segments that the member is in now; who is erased is in none."""
    if not compiled.segments or row.sealed_at is not None:
        return ()
    services = call.services
    found = await services.intake.look(call.program, row.id)
    if found is None:
        return ()
    now = max(await services.now(call.program), found.root.now)
    return segments_now(await services.rendering.versions(call.program), compiled, found, now)


def _item(row: MemberRow, member: Member, profile: Profile | None, compiled: Compiled) -> MemberItem:
    return MemberItem(
        id=row.id,
        enrolled_at=_shown(member.root.enrolled_at, compiled),
        erased_at=_shown(row.sealed_at, compiled),
        name=None if profile is None else profile.name,
        available={wallet: balance.available for wallet, balance in balances(compiled, member).items()},
        tiers={track: standing.tier for track, standing in tiers(compiled, member, ()).items()},
    )


def _shown(instant: Instant | None, compiled: Compiled) -> str | None:
    return None if instant is None else compiled.zone.format(instant)


def _check_profile(profile: ProfileBody | ProfileChange) -> None:
    """A problem where the form is right and the thing does not exist."""
    checks = (
        ("birth_date", profile.birth_date, parse_date),
        ("time_zone", profile.time_zone, Zone),
    )
    for name, value, read in checks:
        if isinstance(value, str):
            try:
                read(value)
            except ValueError as error:
                raise invalid(Finding(f"/profile/{name}", "invalid", str(error))) from None


def _identifiers(bodies: Identifiers) -> tuple[Identifier, ...]:
    identifiers = tuple([Identifier(body.kind, body.value) for body in bodies])
    forms = {(each.kind, people.canonical(each.kind, each.value)) for each in identifiers}
    if len(forms) < len(identifiers):
        raise invalid(Finding("/identifiers", "duplicate_identifier", "two identifiers are the same"))
    if any(not form for _kind, form in forms):
        raise invalid(Finding("/identifiers", "invalid", "an identifier is empty"))
    return identifiers


async def _refuse_taken(call: Call, member: str, identifiers: tuple[Identifier, ...]) -> None:
    """A problem before anything is recorded, if another member is known by one of these."""
    if not identifiers:
        return
    known = await people.resolve(call.services.database, call.program, identifiers)
    for identifier, owner in known.items():
        if owner != member:
            raise ApiProblem.of(Refusal("identifier_taken", f"Of kind {identifier.kind}."))


async def _put_identifiers(call: Call, member: str, identifiers: tuple[Identifier, ...]) -> None:
    try:
        await people.put_identifiers(call.services.database, call.program, member, identifiers)
    except IdentifierTaken as taken:
        detail = f"Of kind {taken.identifier.kind}, by another request just now; all else was done."
        raise ApiProblem.of(Refusal("identifier_taken", detail)) from None
