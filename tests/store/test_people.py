"""Personal data: apart from the ledger, found by digest, erased for good."""

import pytest

from laurels.core.refusal import Refusal
from laurels.store.people import (
    Identifier,
    IdentifierTaken,
    Profile,
    erase,
    identifiers_of,
    profile_of,
    put_identifiers,
    put_profile,
    resolve,
)
from laurels.store.reading import members
from tests.stage import asynchronous, purchase, stage

ANNA = Profile("Anna Bell", "+86 138-0013 8000", "Anna@Example.com", "1990-02-28", "zh-CN", "Asia/Shanghai")


@asynchronous
async def test_a_profile_is_kept_as_told_with_phone_and_email_in_canonical_form(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await put_profile(here.database, here.clock, "cafe", "m-1", ANNA)
        assert await profile_of(here.database, "cafe", "m-1") == Profile(
            "Anna Bell", "+8613800138000", "anna@example.com", "1990-02-28", "zh-CN", "Asia/Shanghai"
        )
        await put_profile(here.database, here.clock, "cafe", "m-1", Profile("Anna Bell"))
        assert await profile_of(here.database, "cafe", "m-1") == Profile("Anna Bell")
        assert await profile_of(here.database, "cafe", "m-2") is None


@asynchronous
async def test_an_identifier_names_its_member_however_it_is_spelt(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        phone, card = Identifier("phone", "+86 138 0013 8000"), Identifier("card", "C-1")
        await put_identifiers(here.database, "cafe", "m-1", [phone, card])
        asked = [Identifier("phone", "+86-13800138000"), Identifier("card", "c-1"), Identifier("card", "C-1")]
        assert await resolve(here.database, "cafe", asked) == {asked[0]: "m-1", asked[2]: "m-1"}
        assert await identifiers_of(here.database, "cafe", "m-1") == (card, phone)
        digest = await here.database.pool.fetchval("select digest from identifier where kind = 'phone'")
        assert len(digest) == 32


@asynchronous
async def test_an_identifier_belongs_to_one_member_and_a_clash_changes_nothing(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await put_identifiers(here.database, "cafe", "m-1", [Identifier("card", "C-1")])
        await put_identifiers(here.database, "cafe", "m-2", [Identifier("card", "C-2")])
        with pytest.raises(IdentifierTaken):
            await put_identifiers(here.database, "cafe", "m-2", [Identifier("card", "C-3"), Identifier("card", "C-1")])
        assert await identifiers_of(here.database, "cafe", "m-2") == (Identifier("card", "C-2"),)


@asynchronous
async def test_the_same_value_has_another_digest_in_another_program(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.database.pool.execute(
            "insert into program (id, mode, secret, created_at) values ('bar', 'live', '\\x01', 0)"
        )
        for program in ("cafe", "bar"):
            await put_identifiers(here.database, program, "m-1", [Identifier("card", "C-1")])
        assert await here.database.pool.fetchval("select count(distinct digest) from identifier") == 2


@asynchronous
async def test_erasing_leaves_the_ledger_and_nobody_in_it(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        await put_profile(here.database, here.clock, "cafe", "m-1", ANNA)
        await put_identifiers(here.database, "cafe", "m-1", [Identifier("card", "C-1")])
        reason = {"wallet": "points", "points": 5, "reason": "Anna Bell called."}
        await here.send("adjustment", "m-1", reason)
        before = await here.rows()
        assert await erase(here.database, here.clock, "cafe", "m-1")
        assert not await erase(here.database, here.clock, "cafe", "nobody")
        assert await profile_of(here.database, "cafe", "m-1") is None
        assert await resolve(here.database, "cafe", [Identifier("card", "C-1")]) == {}
        assert await here.rows() == before
        dump = await here.database.pool.fetchval(
            "select string_agg(t, '') from (select a::text t from activity a union all select f::text from free_text f "
            "union all select m::text from member m union all select p::text from profile p) x"
        )
        assert "Anna" not in dump
        refused = await here.send("purchase", "m-1", purchase("o-1", "1.00"))
        assert refused.refusal == Refusal("member_sealed")
        assert (await here.send("purchase", "m-2", purchase("o-1", "1.00"))).status == "accepted"


@asynchronous
async def test_members_are_found_by_what_their_id_name_phone_or_email_begins_with(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2", "m-3", "anna")
        await put_profile(here.database, here.clock, "cafe", "m-1", ANNA)
        await put_profile(here.database, here.clock, "cafe", "m-2", Profile("王安娜", email="wang@example.com"))

        async def found(query: str | None, after: str = "", limit: int = 50) -> list[str]:
            rows = await members(here.database, "cafe", query=query, after=after, limit=limit)
            return [row.id for row in rows]

        assert await found(None) == ["anna", "m-1", "m-2", "m-3"]
        assert await found(None, after="m-1", limit=1) == ["m-2"]
        assert await found("ANNA") == ["m-1"]
        assert await found("anna") == ["anna", "m-1"]
        assert await found("王") == ["m-2"]
        assert await found("+86138") == ["m-1"]
        assert await found("wang@") == ["m-2"]
        assert await found("m-", after="m-1") == ["m-2", "m-3"]
        assert await found("%") == []
