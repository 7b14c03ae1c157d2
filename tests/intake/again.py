"""Deciding everything that is stored once more: what was recorded must say all that the decisions depended on."""

from laurels.core.activity import Activity, parse
from laurels.core.decide import Decision, decide
from laurels.core.member import ROOT, Document, Member, Missing, encode_document, purchased
from laurels.core.version import Version, Versions
from laurels.intake.sameness import with_text
from laurels.store.circumstances import circumstances_of
from laurels.store.programs import stored_versions
from laurels.store.reading import StoredActivity, activities, documents, member_row, members
from tests.stage import Stage, read_program


async def assert_all_follows_again(here: Stage) -> int:
    """Facts and states are what deciding every stored activity again leads to; how many there were."""
    stored = await stored_versions(here.database, "cafe")
    versions = tuple(Version(each.number, each.effective_at, read_program(each.document)) for each in stored)
    count = 0
    for row in await members(here.database, "cafe", limit=10_000):
        member = Member(row.id, {ROOT: None})
        history = await activities(here.database, "cafe", row.id, limit=100_000)
        assert [each.seq for each in history] == list(range(1, len(history) + 1))
        for each in history:
            known = Versions(tuple(version for version in versions if version.number <= each.known))
            decision = _decide(known, member, each, history)
            assert decision.facts == each.facts, f"{row.id} {each.seq}"
            member = decision.member
            count += 1
        kept = await member_row(here.database, "cafe", row.id)
        assert kept is not None
        there = {**kept.documents, **await documents(here.database, "cafe", row.id, prefixes=[""])}
        expected = {key: value for key, value in member.documents.items() if value is not None}
        assert {key: _bytes(value) for key, value in there.items()} == {
            key: _bytes(value) for key, value in expected.items() if not key.startswith("activity/")
        }
    return count


def _bytes(document: Document | None) -> bytes:
    assert document is not None
    return encode_document(document)


def _read(versions: Versions, each: StoredActivity) -> Activity:
    assert versions.declared is not None
    activity = parse(
        source=each.source,
        id=each.id,
        type=each.type,
        member=each.member,
        occurred_at=each.occurred_at,
        data=with_text(each.body.encode(), each.texts),
        declared=versions.declared,
    )
    assert isinstance(activity, Activity)
    return activity


def _decide(versions: Versions, member: Member, each: StoredActivity, history: list[StoredActivity]) -> Decision:
    while True:
        try:
            decision = decide(
                versions, member, _read(versions, each), circumstances_of(each.recorded_at, each.circumstances)
            )
        except Missing as missing:
            more: dict[str, Document | None] = {}
            for key in missing.keys:
                assert key not in member.documents
                kind, _, name = key.partition("/")
                more[key] = None
                if kind == "activity":
                    before = history[int(name) - 1]
                    data = _read(versions, before).data
                    more[key] = purchased(data, before.facts)  # type: ignore[arg-type]  # only purchases are asked for
            member = Member(member.id, {**member.documents, **more})
        else:
            assert isinstance(decision, Decision), f"{each.member} {each.seq}: {decision}"
            return decision
