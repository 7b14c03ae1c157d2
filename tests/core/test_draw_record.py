"""Public records: one that is true comes out clean, and whatever is changed in one is found and named."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from laurels.cli.draw import draw_group
from laurels.core.draw import (
    Entry,
    commitment_of,
    day_commitment,
    day_key,
    draw,
    drawn_instantly,
    entry_of,
    root_of,
    stream_key,
)
from laurels.core.draw_record import (
    FALLBACK,
    Announcement,
    Award,
    Closing,
    Day,
    DayTerms,
    Play,
    PrizeTerms,
    Record,
    Replaces,
    Winner,
    announcement_digest,
    odds_of,
    record_digest,
    sealed,
    verify,
)

SEED = bytes(range(32))
NAME = {"en": "Spring", "zh-CN": "春天"}
RULES = {word: {"en": word, "zh-CN": word} for word in ("time", "method", "claim", "forfeiture")}


def scheduled() -> Record:
    """Forty members with three tickets each; the second place is forfeited and goes to the first alternate."""
    first = Announcement(
        program="cafe", draw="spring", kind="scheduled", name=NAME, announced_at="2026-02-01T00:00:00Z",
        opens_at="2026-03-01T00:00:00Z", closes_at="2026-03-31T00:00:00Z", draws_at="2026-04-01T00:00:00Z",
        prizes=(PrizeTerms("bike", NAME, "500.00", 1), PrizeTerms("mug", NAME, "5.00", 3)), fallback=None, wins_most=1,
        alternates=2, excluded="member.staff", claim_within="30D", rules=RULES,
        commitment=commitment_of("cafe/spring", SEED).hex(),
    )  # fmt: skip
    why = Replaces(announcement_digest(first).hex(), {"en": "one more mug", "zh-CN": "增加一个杯子"})
    announcement = msgspec.structs.replace(
        first, prizes=(first.prizes[0], PrizeTerms("mug", NAME, "5.00", 4)), announced_at="2026-02-02T00:00:00Z",
        replaces=why,
    )  # fmt: skip
    numbers = [sha256(f"{n}".encode()).hexdigest()[:32] for n in range(40)]
    entries = sorted(Entry(number, ticket) for number in numbers for ticket in (1, 2, 3))
    key = stream_key("cafe/spring", SEED, announcement_digest(announcement), root_of(entries))
    drawn = draw(key, entries, 5, 2)
    prizes = ["bike", "mug", "mug", "mug", "mug"]
    winners = [Winner(n, prizes[n - 1], entry.text) for n, entry in enumerate(drawn.winners, 1)]
    awards = [Award(each.place, each.prize, each.entry, None, "claimed") for each in winners]
    awards[1] = msgspec.structs.replace(awards[1], status="forfeited")
    awards.append(Award(2, "mug", drawn.alternates[0].text, 1, "given"))
    return sealed(
        announcement=announcement,
        replaced=(first,),
        closing=Closing("2026-03-31T00:00:05Z", len(entries), root_of(entries).hex()),
        entries=tuple(entry.text for entry in entries),
        seed=SEED.hex(),
        drawn_at="2026-04-01T00:00:01Z",
        winners=tuple(winners),
        alternates=tuple(entry.text for entry in drawn.alternates),
        awards=tuple(awards),
    )


def instant() -> Record:
    """Two days, thirty tickets on each; mugs run out."""
    days = ("2026-03-01", "2026-03-02")
    keys = {day: day_key(SEED, day) for day in days}
    announcement = Announcement(
        program="cafe", draw="wheel", kind="instant", name=NAME, announced_at="2026-02-01T00:00:00Z",
        opens_at="2026-03-01T00:00:00Z", closes_at="2026-03-03T00:00:00Z", draws_at=None,
        prizes=(PrizeTerms("mug", NAME, "5.00", 3, "1/4"), PrizeTerms("coffee", NAME, "2.00", None, "1/3")),
        fallback=NAME, wins_most=None, alternates=0, excluded=None, claim_within=None, rules=RULES,
        commitment=commitment_of("cafe/wheel", SEED).hex(),
        days=tuple(DayTerms(day, day_commitment("cafe/wheel", day, key).hex()) for day, key in keys.items()),
    )  # fmt: skip
    odds = odds_of(announcement)
    left = 3
    told = []
    for n, (day, key) in enumerate(keys.items()):
        plays = []
        for ticket in range(1 + 30 * n, 31 + 30 * n):
            entry = Entry("0" * 32, ticket)
            drawn = drawn_instantly(key, entry, odds)
            given = FALLBACK if drawn == "mug" and left == 0 else drawn
            left -= given == "mug"
            plays.append(Play(entry.text, drawn, given))
        told.append(Day(day, key.hex(), tuple(plays)))
    assert left == 0
    return sealed(announcement=announcement, seed=SEED.hex(), days=tuple(told))


def plain_of(record: Record) -> dict[str, Any]:
    """The record as it is written."""
    plain: dict[str, Any] = json.loads(msgspec.json.encode(record))
    return plain


def places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value of a record with its pointer."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, f"{pointer}/{key}")
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from places(each, f"{pointer}/{n}")
    else:
        yield pointer, value


def tampered(record: Record, pointer: str, value: Any) -> dict[str, Any]:
    """The record with another value in one place."""
    plain = plain_of(record)
    *path, last = pointer.split("/")[1:]
    place: Any = plain
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return plain


def other(value: Any, pointer: str) -> Any:
    """Another value that could stand in its place."""
    if isinstance(value, int):
        return value + 1
    if value is None:
        return {"alternate": 1, "drawn": "coffee", "given": "coffee"}.get(pointer.rpartition("/")[2], "x")
    if pointer.endswith("_at"):
        return str(value).replace("2026", "2025")
    if value[:1] in "0123456789abcdef" and len(value) >= 32:
        return ("1" if value[0] != "1" else "2") + value[1:]
    return {"claimed": "given", "given": "claimed", "forfeited": "claimed", "1/4": "1/5", "1/3": "1/4"}.get(
        value, value + "x"
    )


def codes(plain: dict[str, Any]) -> dict[str, str]:
    return {fault.code: fault.pointer for fault in verify(json.dumps(plain).encode())[1]}


@pytest.mark.parametrize("record", [scheduled(), instant()], ids=["scheduled", "instant"])
def test_a_true_record_comes_out_clean_in_any_writing(record: Record) -> None:
    assert verify(msgspec.json.encode(record)) == (record, ())
    spread = json.dumps(plain_of(record), indent=3, sort_keys=True)
    assert verify(spread.encode())[1] == ()


@pytest.mark.parametrize("record", [scheduled(), instant()], ids=["scheduled", "instant"])
def test_whatever_single_value_is_changed_the_record_is_caught(record: Record) -> None:
    for pointer, value in places(plain_of(record)):
        found = codes(tampered(record, pointer, other(value, pointer)))
        assert "digest_differs" in found or "malformed" in found, pointer


AFTER_THE_DRAW = ("/drawn_at", "/closing/closed_at", "/awards", "/digest")
"""What no digest published before the draw can bind; within its order of time and status it can be said otherwise."""


BEHIND_A_WHEEL = (
    "/announcement/program", "/announcement/draw/", "/announcement/commitment", "/announcement/days",
    "/announcement/prizes/0/quantity", "/announcement/prizes/0/odds", "/announcement/prizes/0/prize",
    "/announcement/prizes/1/odds", "/announcement/prizes/1/prize", "/days", "/seed",
)  # fmt: skip
"""Texts bear on nothing that a ticket drew; there the digest tells that was noted when the wheel was announced."""


@pytest.mark.parametrize("record", [scheduled(), instant()], ids=["scheduled", "instant"])
def test_whoever_makes_the_digests_anew_is_still_caught_by_what_chance_depends_on(record: Record) -> None:
    for pointer, value in places(plain_of(record)):
        if pointer.startswith(AFTER_THE_DRAW) or pointer == "/announcement_digest":
            continue
        if record.announcement.kind == "instant" and not pointer.startswith(BEHIND_A_WHEEL):
            continue
        plain = tampered(record, pointer, other(value, pointer))
        plain["announcement_digest"] = announcement_digest(plain["announcement"]).hex()
        plain["digest"] = record_digest(plain).hex()
        assert codes(plain), pointer


def test_each_lie_has_its_name() -> None:
    record = scheduled()
    loser = next(text for text in record.entries if text not in {each.entry for each in record.winners})
    entries = list(record.entries)
    for pointer, value, code in (
        ("/seed", "11" * 32, "seed_differs"),
        ("/announcement/commitment", "11" * 32, "commitment_changed"),
        ("/announcement/name/en", "Autumn", "announcement_differs"),
        ("/announcement/replaces/reason", {"en": " "}, "no_reason"),
        ("/replaced/0/name/en", "Autumn", "chain_broken"),
        ("/closing/root", "11" * 32, "root_differs"),
        ("/closing/count", 7, "count_differs"),
        ("/entries", [*entries[1:]], "root_differs"),
        ("/entries", [entries[1], entries[0], *entries[2:]], "not_sorted"),
        ("/entries/3", "ann", "bad_entry"),
        ("/winners/0/entry", loser, "winner_differs"),
        ("/winners", plain_of(record)["winners"][:-1], "winner_differs"),
        ("/alternates/1", loser, "alternate_differs"),
        ("/awards/5/entry", loser, "award_differs"),
        ("/awards/1/status", "claimed", "award_differs"),
        ("/drawn_at", "2026-03-31T12:00:00Z", "out_of_time"),
        ("/drawn_at", None, "not_drawn"),
        ("/format", "other", "malformed"),
    ):  # fmt: skip
        assert code in codes(tampered(record, pointer, value)), (pointer, code)


def test_each_lie_about_a_wheel_has_its_name() -> None:
    record = instant()
    day = record.days[1]
    lost = next(n for n, play in enumerate(day.plays) if play.drawn is None)
    won = next(n for n, play in enumerate(record.days[0].plays) if play.given == "coffee")
    short = next(n for n, play in enumerate(day.plays) if play.given == FALLBACK)
    plays = plain_of(record)["days"][1]["plays"]
    for pointer, value, code in (
        ("/days/1/key", "11" * 32, "key_differs"),
        (f"/days/1/plays/{lost}/drawn", "coffee", "play_differs"),
        (f"/days/1/plays/{lost}/given", "coffee", "given_differs"),
        (f"/days/0/plays/{won}/given", FALLBACK, "not_run_out"),
        (f"/days/1/plays/{short}/given", "mug", "over_quantity"),
        (f"/days/1/plays/{short}/given", "coffee", "given_differs"),
        ("/announcement/prizes/0/quantity", 4, "not_run_out"),
        ("/announcement/prizes/0/odds", "1/9", "play_differs"),
        ("/days/1/plays", [plays[1], plays[0], *plays[2:]], "not_sorted"),
        ("/seed", None, "not_drawn"),
    ):  # fmt: skip
        assert code in codes(tampered(record, pointer, value)), (pointer, code)


def test_the_command_says_it_in_both_languages_and_by_its_exit_code(tmp_path: Path) -> None:
    record = scheduled()
    file = tmp_path / "spring.json"
    file.write_bytes(msgspec.json.encode(record))
    said = CliRunner().invoke(draw_group, ["verify", str(file)])
    assert (said.exit_code, "全部核验一致" in said.output) == (0, True)
    wheel = tmp_path / "wheel.json"
    wheel.write_bytes(msgspec.json.encode(instant()))
    assert "60 tickets played" in CliRunner().invoke(draw_group, ["verify", str(wheel)]).output
    noted = ["--announced", record.announcement_digest, "--root", str(record.closing and record.closing.root)]
    assert CliRunner().invoke(draw_group, ["verify", str(file), *noted]).exit_code == 0
    assert CliRunner().invoke(draw_group, ["verify", str(file), "--announced", "00"]).exit_code == 1
    assert CliRunner().invoke(draw_group, ["verify", str(tmp_path / "none.json")]).exit_code == 2
    file.write_text(json.dumps(tampered(record, "/seed", "11" * 32)))
    said = CliRunner().invoke(draw_group, ["verify", str(file), "--json"])
    assert said.exit_code == 1
    told = json.loads(said.output)
    assert told["clean"] is False
    seed = next(fault for fault in told["faults"] if fault["code"] == "seed_differs")
    assert seed["pointer"] == "/seed"
    assert set(seed["message"]) == {"en", "zh-CN"}


def test_entries_in_a_record_are_texts_that_are_read_back() -> None:
    assert all(entry_of(text).text == text for text in scheduled().entries)
