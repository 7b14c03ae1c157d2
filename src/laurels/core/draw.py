"""How a draw is drawn: chance that nobody can choose, and that an outsider can compute again.

A secret seed is bound by its commitment before entries close, and the entries by their root before it is revealed.
Seed, announcement and root together key a stream of SHA-256 blocks, and an unbiased shuffle of the sorted entries
takes its choices from it: first the winners by place, then the alternates. An instant win is an HMAC of the day's key
over the member's own number and the ticket's. docs/concepts/draws.md says all of it to the byte.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple

from laurels.core.money import floor_div

WORD_BITS: Final = 64
DIGEST_BITS: Final = 256
SEED_BYTES: Final = 32
NUMBER_LETTERS: Final = 32

_TAG: Final = b"laurels.draw.1."


class Entry(NamedTuple):
    """One chance in a draw: a member's own number in it, and the number of one of their tickets, from 1."""

    number: str
    ticket: int

    @property
    def text(self) -> str:
        """How the entry is written wherever it is hashed or shown."""
        return f"{self.number}:{self.ticket}"


class Drawn(NamedTuple):
    """What a shuffle comes to: the winner of each place, the first place first, and the alternates in their order."""

    winners: tuple[Entry, ...]
    alternates: tuple[Entry, ...]


def entry_of(text: str) -> Entry:
    """The entry that a text writes; ValueError for any other text."""
    number, colon, ticket = text.partition(":")
    is_number = len(number) == NUMBER_LETTERS and all(letter in "0123456789abcdef" for letter in number)
    if not (colon and is_number and ticket.isascii() and ticket.isdecimal() and ticket[0] != "0"):
        raise ValueError(f"{text!r} is not an entry")
    return Entry(number, int(ticket))


def digest_of(what: str, *parts: bytes) -> bytes:
    """SHA-256 over a tag and parts, each part with its length before it, so that no two lists of parts look alike."""
    joined = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    return sha256(_TAG + what.encode() + b"\0" + joined).digest()


def commitment_of(draw: str, seed: bytes) -> bytes:
    """What binds a draw (`program/draw`) to its seed before anybody may know the seed."""
    return digest_of("commitment", draw.encode(), seed)


def number_of(key: bytes, member: str) -> str:
    """A member's own number in a draw: theirs alone, the same every time, and nothing to tell who they are by.

    The key is the draw's, is not the seed, and is never revealed: with it ids could be tried.
    """
    return hmac.digest(key, member.encode(), "sha256").hex()[:NUMBER_LETTERS]


# --- entries ----------------------------------------------------------------------------------------------------------


def root_of(entries: Sequence[Entry]) -> bytes:
    """The root of the Merkle tree (RFC 6962, section 2.1) over the texts of the entries, which are in their order."""
    level = [sha256(b"\0" + entry.text.encode()).digest() for entry in entries]
    if not level:
        return sha256(b"").digest()
    # Joining neighbours, with an odd last one carried up, makes the tree of the RFC.
    while len(level) > 1:
        joined = [sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) & 1:
            joined.append(level[-1])
        level = joined
    return level[0]


# --- the shuffle ------------------------------------------------------------------------------------------------------


def stream_key(draw: str, seed: bytes, announcement: bytes, root: bytes) -> bytes:
    """What keys the stream: the seed, and all that was published before it was revealed."""
    return digest_of("stream", draw.encode(), seed, announcement, root)


def words_of(key: bytes) -> Iterator[int]:
    """An endless stream of 64-bit words: four from each SHA-256 block of the key and the block's number."""
    block = 0
    while True:
        digest = sha256(key + block.to_bytes(8, "big")).digest()
        for start in range(0, 32, 8):
            yield int.from_bytes(digest[start : start + 8], "big")
        block += 1


def below(words: Iterator[int], count: int) -> int:
    """A number from 0 to `count` - 1, each as likely as any other: too large ones are passed over, never folded."""
    if not 1 <= count <= 1 << WORD_BITS:
        raise AssertionError(f"there is no number below {count}")
    bits = (count - 1).bit_length()
    if bits == 0:
        return 0
    while True:
        number = next(words) >> (WORD_BITS - bits)
        if number < count:
            return number


def shuffled(key: bytes, entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries in the order drawn: a Fisher-Yates shuffle from the front, as far as anybody asks."""
    words = words_of(key)
    moved: dict[int, Entry] = {}
    count = len(entries)
    for place in range(count):
        chosen = place + below(words, count - place)
        entry = moved.get(chosen, entries[chosen])
        moved[chosen] = moved.pop(place, entries[place])
        yield entry


def draw(key: bytes, entries: Sequence[Entry], places: int, alternates: int, wins_most: int | None = 1) -> Drawn:
    """Winners and alternates from sorted entries. A member has at most `wins_most` of both together (None: any number).

    Entries of a member who has as many are passed over, so that who has more tickets is likelier to win, not to win
    more. With fewer members than places the last places stay without a winner.
    """
    # One by one: to sort a million at once would keep every other thread waiting for seconds.
    assert all(one < next_one for one, next_one in pairwise(entries)), "entries are sorted, each once"
    drawn: list[Entry] = []
    wins: dict[str, int] = {}
    for entry in shuffled(key, entries):
        if len(drawn) == places + alternates:
            break
        if wins_most is None or wins.get(entry.number, 0) < wins_most:
            wins[entry.number] = wins.get(entry.number, 0) + 1
            drawn.append(entry)
    return Drawn(tuple(drawn[:places]), tuple(drawn[places:]))


# --- instant wins -----------------------------------------------------------------------------------------------------


def day_key(seed: bytes, day: str) -> bytes:
    """The key of a day (`2026-03-01`) of an instant draw."""
    return hmac.digest(seed, b"laurels.draw.1.day\0" + day.encode(), "sha256")


def day_commitment(draw: str, day: str, key: bytes) -> bytes:
    """What binds a draw to the key of a day before the day begins."""
    return digest_of("day", draw.encode(), day.encode(), key)


class Odds(NamedTuple):
    """The chance of a prize as an exact fraction."""

    prize: str
    numerator: int
    denominator: int


def drawn_instantly(key: bytes, entry: Entry, odds: Sequence[Odds]) -> str | None:
    """The prize that a ticket draws on a day, each with exactly its odds; None is no prize."""
    whole = math.lcm(*[each.denominator for each in odds])
    bits = (whole - 1).bit_length()
    if bits > DIGEST_BITS:
        raise AssertionError("the odds are finer than a digest can tell")
    number, turn = whole, 0
    while number >= whole:
        digest = hmac.digest(key, f"{entry.text}:{turn}".encode(), "sha256")
        number = int.from_bytes(digest, "big") >> (DIGEST_BITS - bits)
        turn += 1
    for prize, share in zip(odds, shares_of(odds, whole), strict=True):
        if number < share:
            return prize.prize
        number -= share
    return None


def shares_of(odds: Sequence[Odds], whole: int) -> list[int]:
    """How many of `whole` equally likely numbers each prize has; all together they are no more than `whole`."""
    shares = [each.numerator * floor_div(whole, each.denominator) for each in odds]
    if sum(shares) > whole:
        raise AssertionError("the odds are more than certain")
    return shares
