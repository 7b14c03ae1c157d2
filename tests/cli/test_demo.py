"""demo: a small part of the year, from an empty database to questions with answers."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from laurels import wiring
from laurels.cli.shopping import NoShoppingData, data_directory
from laurels.settings import Settings
from tests.cli.giving import Giving

pytest.importorskip("polars")


@pytest.fixture(autouse=True)
def _few_households(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        data_directory()
    except NoShoppingData:
        pytest.skip("the extra demo is not installed")
    monkeypatch.setattr("laurels.cli.demo.QUICK", 300)


def test_the_demo_imports_draws_verifies_sums_up_and_resumes(give: Giving, tmp_path: Path) -> None:
    first = give.json("demo", "--quick", "--no-serve")
    quirks, tally = first["data"], first["imported"]
    assert quirks["households"] == 9
    # The clock's own activities are verified beside what was imported.
    assert tally["accepted"] == quirks["households"] + quirks["baskets"] <= first["verified"]
    assert (tally["refused"], tally["invalid"], tally["faulty"]) == ({}, {}, 0)
    figures = first["figures"]
    points = figures["wallets"]["points"]
    assert sum(figures["tracks"]["membership"].values()) == figures["members"] == 9
    assert points["issued"] == sum(campaign["points"] for campaign in points["campaigns"].values())
    assert points["issued"] == points["outstanding"] == sum(each["points"] for each in points["expiring"])
    assert first["as_of"] == "2017-12-31T23:59:59-05:00"
    assert give.json("verify")["clean"]
    # Households entered the draw by their baskets of October and November; anybody verifies it from its record alone.
    (drawn,) = first["draws"]
    assert drawn["draw"] == "thanksgiving"
    assert 0 < drawn["winners"] == drawn["members"] <= 9
    assert drawn["members"] <= drawn["entries"] <= drawn["members"] * 2 * 20
    file = str(tmp_path / "thanksgiving.json")
    give.json("draw", "export", "thanksgiving", "--out", file)
    noted = ("--announced", drawn["announcement_digest"])
    assert give.json("draw", "verify", file, *noted)["clean"]

    largest = asyncio.run(largest_root(give.url))
    assert 200 < largest < 1500

    again = give.json("demo", "--quick", "--no-serve")
    assert (again["figures"], again["draws"]) == (figures, first["draws"])
    assert again["imported"] == tally
    said = give.says("demo", "--quick", "--no-serve")
    assert "Everything was imported before." in said
    assert "It was verified before" in said
    assert "84.51°" in said
    # What is zero says why, or is left out.
    assert "0 the data has no redemptions" in " ".join(said.split())
    assert "0 the data is of one year, and points live for one" in " ".join(said.split())
    assert "written off" not in said
    assert said.count("curl -H 'Authorization: Bearer laurels_") == 3


def test_the_questions_have_answers(give: Giving) -> None:
    shown = give.json("demo", "--quick", "--no-serve")
    answers = asyncio.run(ask(give.url, shown["key"], [each["path"] for each in shown["questions"]]))
    balances, tiers, explanation = answers
    assert balances["wallets"]["points"]["lifetime_earned"] > 0
    assert tiers["tracks"]["membership"]["tier"] in ("member", "silver", "gold")
    assert any(each["granted"] for each in explanation["campaigns"])


async def largest_root(url: str) -> int:
    """How many bytes the largest root has: what every activity of a household reads and writes."""
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval("select max(octet_length(root)) from laurels.member")
    finally:
        await connection.close()
    return found


async def ask(url: str, key: str, paths: list[str]) -> list[Any]:
    async with wiring.application(Settings(database_url=url)) as running:
        transport = httpx.ASGITransport(app=wiring.entrance(running))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://laurels", headers=headers) as client:
            answers = [await client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    return [answer.json() for answer in answers]


def test_without_the_data_the_demo_says_what_is_missing(give: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurels.cli.shopping.PACKAGE", "no_such_package")
    assert "the extra demo" in give.fails("demo", "--no-serve", code=3)
