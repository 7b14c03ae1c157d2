"""Keys: each opens one program and does what its scopes say, and a revoked one stops working."""

import asyncio

import pytest

from laurels import wiring
from laurels.api.authentication import Caller
from laurels.api.openapi import OPERATIONS
from laurels.api.scopes import SCOPES
from laurels.store.keys import keys_of, revoke_key
from tests.api.harness import Api, api
from tests.stage import asynchronous

EXAMPLES = {
    "member": "m-1", "source": "pos", "activity": "x", "redemption": "r-1", "number": "1", "file": "x", "code": "x",
    "batch": "x", "reward": "mug", "draw": "x", "place": "1",
    "quote": "x", "campaign": "x",
}  # fmt: skip


async def _opened(here: Api, secret: str) -> set[str]:
    """The operations that a key may use: those that do not answer 401 or 403."""
    opened = set()
    for operation in OPERATIONS:
        if operation.scopes:
            path = operation.path.format(**EXAMPLES)
            body: dict[str, str] | None = {} if operation.body is not None else None
            answered = await here.call(operation.method, path, body, secret=secret)
            if answered.status_code not in (401, 403):
                opened.add(operation.name)
    return opened


@asynchronous
async def test_every_scope_opens_what_it_says_and_nothing_else(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        assert await _opened(here, "laurels_unknown") == set()
        for scope in SCOPES:
            opened = await _opened(here, await here.key(scope))
            expected = {each.name for each in OPERATIONS if each.scopes and (scope in each.scopes or scope == "admin")}
            assert opened == expected, scope


@asynchronous
async def test_without_the_check_every_scope_would_open_everything(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Caller, "require", lambda _caller, *_scopes: None)
            opened = await _opened(here, await here.key("members:read"))
        assert opened == {each.name for each in OPERATIONS if each.scopes}


@asynchronous
async def test_key_sees_its_own_program_alone(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        other = "program: bar\ntime_zone: UTC\ncurrency: EUR\nwallets: {points: {}}\n"
        await wiring.publish(here.running, other, mode="sandbox")
        secret, _known = await wiring.make_key(here.running, "bar", source="pos", name="till", scopes=["admin"])
        answered = await here.call("GET", "/v1/members/m-1", secret=secret)
        assert answered.json()["code"] == "no_such_member"
        assert (await here.call("GET", "/v1/program", secret=secret)).json()["program"] == "bar"


@asynchronous
async def test_revoked_key_stops_working_within_the_stated_time(laurels_url: str) -> None:
    async with api(laurels_url, key_cache_seconds=1) as here:
        assert (await here.call("GET", "/v1/program")).status_code == 200
        (key,) = await keys_of(here.running.database, "cafe")
        assert await revoke_key(here.running.database, here.clock, "cafe", key.id)
        await asyncio.sleep(1.1)
        assert (await here.call("GET", "/v1/program")).status_code == 401


@pytest.mark.parametrize(
    ("source", "scopes"),
    [
        ("laurels", ["admin"]),
        ("laurels.redemptions", ["admin"]),
        ("pos", ["everything"]),
        ("pos", []),
        ("a/b", ["admin"]),
    ],
)
@asynchronous
async def test_key_that_could_pass_for_laurels_or_do_the_unknown_is_not_made(
    laurels_url: str, source: str, scopes: list[str]
) -> None:
    async with api(laurels_url) as here:
        with pytest.raises(ValueError, match=r"source|scope"):
            await wiring.make_key(here.running, "cafe", source=source, name="x", scopes=scopes)
        assert len(await keys_of(here.running.database, "cafe")) == 1
