"""Draws: a vector pins the algorithm to the byte, a second implementation agrees, and chance is as fair as declared."""

import hmac
import math
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.draw import (
    Entry,
    Odds,
    below,
    commitment_of,
    day_commitment,
    day_key,
    draw,
    drawn_instantly,
    entry_of,
    number_of,
    root_of,
    stream_key,
    words_of,
)

SEED = bytes(range(32))
DRAW = "corner_cafe/spring"
ANNOUNCEMENT = sha256(b"the announcement").digest()


def numbered(members: int, tickets: int) -> list[Entry]:
    """Entries of some members with some tickets each, sorted."""
    numbers = [sha256(f"member {n}".encode()).hexdigest()[:32] for n in range(members)]
    return sorted(Entry(number, ticket) for number in numbers for ticket in range(1, tickets + 1))


# --- the vector -------------------------------------------------------------------------------------------------------


def test_a_thousand_tickets_and_five_winners_come_out_as_they_are_written_here() -> None:
    entries = numbered(250, 4)
    assert len(entries) == 1000
    root = root_of(entries)
    assert commitment_of(DRAW, SEED).hex() == VECTOR_COMMITMENT
    assert root.hex() == VECTOR_ROOT
    key = stream_key(DRAW, SEED, ANNOUNCEMENT, root)
    assert key.hex() == VECTOR_KEY
    words = words_of(key)
    assert next(words) == VECTOR_WORD
    drawn = draw(key, entries, 5, 3)
    assert [entry.text for entry in drawn.winners] == VECTOR_WINNERS
    assert [entry.text for entry in drawn.alternates] == VECTOR_ALTERNATES


def test_a_day_of_an_instant_draw_comes_out_as_it_is_written_here() -> None:
    key = day_key(SEED, "2026-03-01")
    assert key.hex() == VECTOR_DAY_KEY
    assert day_commitment(DRAW, "2026-03-01", key).hex() == VECTOR_DAY_COMMITMENT
    odds = [Odds("mug", 1, 3), Odds("coffee", 2, 7)]
    number = numbered(1, 1)[0].number
    assert [drawn_instantly(key, Entry(number, n), odds) for n in range(1, 11)] == VECTOR_PLAYS


def test_the_page_about_draws_states_the_vector() -> None:
    page = (Path(__file__).parents[2] / "docs/concepts/draws.md").read_text(encoding="utf-8")
    for stated in (VECTOR_ROOT, VECTOR_COMMITMENT, VECTOR_KEY, *VECTOR_WINNERS, *VECTOR_ALTERNATES):
        assert stated in page


# --- a second implementation, written from the document --------------------------------------------------------------


def said(tag: str, *parts: bytes) -> bytes:
    """The document's digest, told anew."""
    text = b"laurels.draw.1." + tag.encode() + bytes(1)
    for part in parts:
        text += len(part).to_bytes(8, "big")
        text += part
    return sha256(text).digest()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 as it is written there: split at the largest power of two below the number of leaves."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + tree(leaves[:half]) + tree(leaves[half:])).digest()


def naive_draw(key: bytes, entries: list[Entry], places: int, alternates: int, most: int | None) -> list[Entry]:
    """The whole list is shuffled in place; then winners and alternates are read off it."""
    bits = "".join(
        f"{byte:08b}" for n in range(9 * len(entries) + 9) for byte in sha256(key + n.to_bytes(8, "big")).digest()
    )
    at = 0
    pile = list(entries)
    for place in range(len(pile) - 1):
        left = len(pile) - place
        width = math.ceil(math.log2(left))
        while True:
            number = int(bits[at : at + width], 2)
            at += 64
            if number < left:
                break
        pile[place], pile[place + number] = pile[place + number], pile[place]
    taken: list[Entry] = []
    for entry in pile:
        if len(taken) < places + alternates and (most is None or [each[0] for each in taken].count(entry[0]) < most):
            taken.append(entry)
    return taken


@given(
    members=st.integers(1, 12),
    tickets=st.integers(1, 4),
    places=st.integers(0, 8),
    alternates=st.integers(0, 5),
    most=st.sampled_from([None, 1, 2]),
    seed=st.binary(min_size=32, max_size=32),
)
@settings(max_examples=100, deadline=None)
def test_an_implementation_written_from_the_document_draws_the_same(
    members: int, tickets: int, places: int, alternates: int, most: int | None, seed: bytes
) -> None:
    entries = numbered(members, tickets)
    root = tree([entry.text.encode() for entry in entries])
    assert root_of(entries) == root
    assert commitment_of(DRAW, seed) == said("commitment", DRAW.encode(), seed)
    key = stream_key(DRAW, seed, ANNOUNCEMENT, root)
    assert key == said("stream", DRAW.encode(), seed, ANNOUNCEMENT, root)
    drawn = draw(key, entries, places, alternates, most)
    assert [*drawn.winners, *drawn.alternates] == naive_draw(key, entries, places, alternates, most)
    assert len(drawn.winners) == min(places, len(drawn.winners) + len(drawn.alternates))


@given(
    seed=st.binary(min_size=32, max_size=32),
    ticket=st.integers(1, 10**6),
    parts=st.lists(st.integers(1, 50), min_size=0, max_size=4),
    more=st.integers(0, 60),
)
@settings(max_examples=100, deadline=None)
def test_an_instant_win_written_from_the_document_is_the_same(
    seed: bytes, ticket: int, parts: list[int], more: int
) -> None:
    whole = max(sum(parts) + more, 1)
    odds = [Odds(f"p{n}", part, whole) for n, part in enumerate(parts)]
    key = day_key(seed, "2026-03-01")
    assert key == hmac.new(seed, b"laurels.draw.1.day\x002026-03-01", "sha256").digest()
    assert day_commitment(DRAW, "2026-03-01", key) == said("day", DRAW.encode(), b"2026-03-01", key)
    entry = numbered(1, 1)[0]._replace(ticket=ticket)
    size = math.lcm(*[each.denominator for each in odds])
    width = math.ceil(math.log2(size))
    turn = 0
    while True:
        mac = hmac.new(key, f"{entry.number}:{ticket}:{turn}".encode(), "sha256").digest()
        number = int(("".join(f"{byte:08b}" for byte in mac)[:width]) or "0", 2)
        if number < size:
            break
        turn += 1
    reaches = [
        (each.prize, sum(one.numerator * size // one.denominator for one in odds[: n + 1]))
        for n, each in enumerate(odds)
    ]
    expected = next((prize for prize, reach in reaches if number < reach), None)
    assert drawn_instantly(key, entry, odds) == expected


# --- fair -------------------------------------------------------------------------------------------------------------


def chi_square(counts: list[int], expected: list[float]) -> float:
    return sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))


def keys(count: int) -> Iterator[bytes]:
    return (sha256(f"key {n}".encode()).digest() for n in range(count))


def test_every_ticket_is_as_likely_to_win_each_place() -> None:
    entries = numbered(10, 1)
    first: Counter[Entry] = Counter()
    third: Counter[Entry] = Counter()
    for key in keys(5000):
        winners = draw(key, entries, 3, 0).winners
        first[winners[0]] += 1
        third[winners[2]] += 1
    # Nine degrees of freedom: above 27.9 in one run of a thousand.
    for counted in (first, third):
        assert chi_square([counted[entry] for entry in entries], [500.0] * 10) < 27.9


def test_who_has_three_tickets_wins_first_three_times_as_often() -> None:
    few, many = numbered(2, 1)
    entries = sorted([few, many, many._replace(ticket=2), many._replace(ticket=3)])
    won = Counter(draw(key, entries, 1, 0).winners[0].number for key in keys(4000))
    assert chi_square([won[few.number], won[many.number]], [1000.0, 3000.0]) < 10.8


def test_folding_large_numbers_would_be_noticed() -> None:
    """The control: a remainder in place of passing over gives the first numbers too much."""
    folded: Counter[int] = Counter()
    fair: Counter[int] = Counter()
    for key in keys(6000):
        folded[(next(words_of(key)) >> 61) % 5] += 1
        fair[below(words_of(key), 5)] += 1
    assert chi_square([fair[n] for n in range(5)], [1200.0] * 5) < 18.5
    assert chi_square([folded[n] for n in range(5)], [1200.0] * 5) > 100


def test_instant_wins_come_as_often_as_declared() -> None:
    odds = [Odds("car", 1, 50), Odds("mug", 1, 5), Odds("coffee", 1, 3)]
    number = numbered(1, 1)[0].number
    key = day_key(SEED, "2026-03-02")
    won = Counter(drawn_instantly(key, Entry(number, n), odds) for n in range(1, 15001))
    counts = [won["car"], won["mug"], won["coffee"], won[None]]
    assert chi_square(counts, [300.0, 3000.0, 5000.0, 6700.0]) < 16.3


# --- particulars ------------------------------------------------------------------------------------------------------


def test_a_member_with_all_the_tickets_wins_once_and_the_other_places_stay_empty() -> None:
    drawn = draw(SEED, numbered(1, 50), 3, 2)
    assert (len(drawn.winners), drawn.alternates) == (1, ())
    assert len(draw(SEED, numbered(1, 50), 3, 2, None).winners) == 3


def test_an_alternate_is_nobody_who_has_won() -> None:
    drawn = draw(SEED, numbered(6, 5), 3, 3)
    assert len({entry.number for entry in (*drawn.winners, *drawn.alternates)}) == 6


def test_more_alternates_change_no_winner() -> None:
    entries = numbered(40, 3)
    assert draw(SEED, entries, 4, 0).winners == draw(SEED, entries, 4, 9).winners


def test_one_entry_more_or_another_announcement_is_another_draw() -> None:
    entries = numbered(40, 1)
    key = stream_key(DRAW, SEED, ANNOUNCEMENT, root_of(entries))
    assert key != stream_key(DRAW, SEED, ANNOUNCEMENT, root_of(entries[:-1]))
    assert key != stream_key(DRAW, SEED, sha256(b"another").digest(), root_of(entries))


def test_a_members_own_number_differs_from_draw_to_draw_and_tells_nothing_of_the_member() -> None:
    assert number_of(SEED, "ann") == number_of(SEED, "ann") != number_of(SEED, "bob")
    assert number_of(SEED, "ann") != number_of(ANNOUNCEMENT, "ann")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann:1",
        "0" * 32,
        "0" * 32 + ":0",
        "0" * 32 + ":01",
        "A" * 32 + ":1",
        "0" * 31 + ":1",
        "0" * 32 + ":-1",
        "0" * 32 + ":²",
    ],
)
def test_what_is_no_entry_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not an entry"):
        entry_of(text)


def test_an_entry_is_read_as_it_is_written() -> None:
    entry = numbered(1, 1)[0]
    assert entry_of(entry.text) == entry


VECTOR_COMMITMENT = "e60d2c27d0519bd02709a2cfa3b26fe1a2a70cc4be80b40e5e60eb70c501d226"
VECTOR_ROOT = "33926688fbfac4a5414dadee9358636d839d68ce05cfe8c215e2f6ee054dd180"
VECTOR_KEY = "7f42b047f930963be539a08eecad819d9f76e4440324ae8152818ce8574b632f"
VECTOR_WORD = 14675332030479144185
VECTOR_WINNERS = [
    "d07036367e031dff81186c13c8dd6ef1:3",
    "b1e5ed5567772902a86ef75ed3f78f98:4",
    "3e76b999d373899fa0efa2bab1606e35:2",
    "5587a2d2efa78c33bd0b4517a480dacb:2",
    "aa434f4e5e695eb6e2969615ab6d28e4:2",
]
VECTOR_ALTERNATES = [
    "d9c01a4cc5615eaf240eb6780590f106:2",
    "24505fe4981034460b9d71d32dc9fad9:4",
    "64466627262d084c4ce3a394bd68ce67:3",
]
VECTOR_DAY_KEY = "2c8df80a19159b03f964755d9c025ed0b490e094e9c7d59af0c7f70822ce0df2"
VECTOR_DAY_COMMITMENT = "f36849ac9ed795a2492cbeac877ef23293ad4e729d7bd5392deb0d77407ef9df"
VECTOR_PLAYS: list[str | None] = ["coffee", "mug", None, None, "mug", None, "mug", None, None, None]
