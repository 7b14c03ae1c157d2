"""The stories themselves: that they would notice what they are there to notice, and that no case is left out."""

import re
from pathlib import Path

import asyncpg
import pytest

from tests.scenarios.house import House
from tests.scenarios.story import Tell

CASES, DECISIONS = 20, 14


def test_every_case_and_every_decision_is_told() -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for word, count in (("Case", CASES), ("Decision", DECISIONS)):
        found = {int(number) for number in re.findall(rf"\b{word} (\d+)\.", told)}
        assert found == set(range(1, count + 1))


def test_a_refusal_that_was_none_is_noticed(tell: Tell) -> None:
    here = tell()
    here.enrol("ann", at="2026-03-01")
    with pytest.raises(AssertionError):
        here.buy("ann", "o", "10.00", refused="duplicate_order")


def test_a_refusal_with_another_code_is_noticed(tell: Tell) -> None:
    here = tell()
    here.enrol("ann", at="2026-03-01")
    with pytest.raises(AssertionError):
        here.give_back("ann", "o", refused="unknown_line")
    with pytest.raises(AssertionError):
        here.redeem("ann", "r", 5, refused="frozen_by_debt")


def test_a_refusal_that_wrote_something_is_noticed(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tell()
    here.enrol("ann", at="2026-03-01")
    call = here.call

    def call_and_write(method: str, path: str, body: object = None) -> object:
        if path == "/v1/activities":
            monkeypatch.undo()
            here.adjust("ann", 1)
        return call(method, path, body)

    monkeypatch.setattr(here, "call", call_and_write)
    with pytest.raises(AssertionError, match="a refusal wrote something"):
        here.give_back("ann", "o", refused="unknown_order")


@pytest.mark.parametrize(
    "tampering",
    [
        "update member set root = replace(root, '40', '41') where program = $1",
        "update entry set points = points + 1 where program = $1",
        "delete from entry where program = $1",
        "update activity set body = replace(body, '40.00', '41.00') where program = $1 and type = 'purchase'",
    ],
    ids=["balance", "points", "entry gone", "what was sent"],
)
def test_a_ledger_that_was_tampered_with_does_not_prove_at_the_end(house: House, tampering: str) -> None:
    here = Tell(house)()
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "40.00", at="2026-03-02")

    async def tamper() -> str:
        owner = await asyncpg.connect(house.url, server_settings={"search_path": "laurels"})
        try:
            return str(await owner.execute(tampering, here.program))
        finally:
            await owner.close()

    assert house.run(tamper()) in ("UPDATE 1", "DELETE 1")
    with pytest.raises(AssertionError):
        here.end()


def test_a_restart_forgets_what_only_memory_held(tell: Tell, house: House) -> None:
    before = house.here
    house.restart()
    assert house.here.running.intake is not before.running.intake
    here = tell()
    here.enrol("ann", at="2026-03-01")
    assert here.points("ann") == (0, 0, 0, 0)
