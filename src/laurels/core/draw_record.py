"""The public record of a draw: a JSON document that anybody can verify without asking anybody.

What is published before the draw is an announcement, bound by its digest; a changed one names the digest of the one it
replaces, and the reason. Once drawn, the record adds entries, seed, winners and what became of the prizes. `verify`
computes all of it again and says, by JSON pointer, what is not as it must be. docs/concepts/draws.md has the format.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from laurels.core.calendar import Instant, parse_instant
from laurels.core.draw import (
    SEED_BYTES,
    Entry,
    Odds,
    commitment_of,
    day_commitment,
    day_key,
    draw,
    drawn_instantly,
    entry_of,
    root_of,
    stream_key,
)
from laurels.core.explanation import Sentence

FORMAT: Final = "laurels.draw"
VERSION: Final = 1

Texts = dict[str, str]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all parts of a record: what is not known is not accepted."""


class PrizeTerms(_Part, frozen=True):
    """A prize as announced. `quantity` None is as many as are drawn; `odds` ("1/50") stands in instant draws.

    With a `wallet` it is so many `points`, with a `voucher` one of that kind, given at once.
    """

    prize: str
    name: Texts
    value: str | None
    quantity: int | None
    odds: str | None = None
    wallet: str | None = None
    points: int = 0
    voucher: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the winner has it at once, and need not claim it."""
        return self.wallet is not None or self.voucher is not None


class DayTerms(_Part, frozen=True):
    """A day of an instant draw, and what binds it to its key."""

    day: str
    commitment: str


class Replaces(_Part, frozen=True):
    """Which announcement this one takes the place of, and why."""

    digest: str
    reason: Texts


class Announcement(_Part, frozen=True):
    """What is published before anybody can win. Instants are RFC 3339."""

    program: str
    draw: str
    kind: Literal["scheduled", "instant"]
    name: Texts
    announced_at: str
    opens_at: str
    closes_at: str
    draws_at: str | None
    prizes: tuple[PrizeTerms, ...]
    fallback: Texts | None
    wins_most: int | None
    alternates: int
    excluded: str | None
    claim_within: str | None
    rules: dict[str, Texts]
    commitment: str
    days: tuple[DayTerms, ...] = ()
    replaces: Replaces | None = None


class Closing(_Part, frozen=True):
    """What is published when entries have closed: how many there are, and their root."""

    closed_at: str
    count: int
    root: str


class Winner(_Part, frozen=True):
    """Who a place was drawn for."""

    place: int
    prize: str
    entry: str


AwardStatus = Literal["open", "given", "claimed", "forfeited", "refused"]


class Award(_Part, frozen=True):
    """What became of a place: given to its winner (`alternate` None), or to the alternate of that number, from 1."""

    place: int
    prize: str
    entry: str
    alternate: int | None
    status: AwardStatus


class Play(_Part, frozen=True):
    """A ticket that was played: the prize that it drew, and what was given: that, or the fallback when it ran out."""

    entry: str
    drawn: str | None
    given: str | None


class Day(_Part, frozen=True):
    """A day of an instant draw that is over: its key, and every ticket that was played on it, sorted."""

    day: str
    key: str
    plays: tuple[Play, ...]


class Record(_Part, frozen=True):
    """All that is public of a draw. `digest` is over everything else in the record."""

    format: Literal["laurels.draw"]
    version: Literal[1]
    announcement: Announcement
    announcement_digest: str
    digest: str
    replaced: tuple[Announcement, ...] = ()
    closing: Closing | None = None
    entries: tuple[str, ...] = ()
    seed: str | None = None
    drawn_at: str | None = None
    winners: tuple[Winner, ...] = ()
    alternates: tuple[str, ...] = ()
    awards: tuple[Award, ...] = ()
    days: tuple[Day, ...] = ()


FALLBACK: Final = "fallback"
"""What a play is given when the prize that it drew has run out."""


class Fault(msgspec.Struct, frozen=True):
    """Something in a record that is not as it must be, at a JSON pointer."""

    code: str
    pointer: str
    stated: str = ""
    computed: str = ""

    @property
    def sentence(self) -> Sentence:
        """What the code means."""
        return FAULTS[self.code]


FAULTS: Final = MappingProxyType(
    {
        "malformed": Sentence(
            "This is not a record of a draw in the format that this release knows.",
            "这不是本版本可识别的抽奖记录格式。",
        ),
        "digest_differs": Sentence("The record is not the one that its digest was made for.", "记录内容与其摘要不符。"),
        "announcement_differs": Sentence(
            "The announcement is not the one that its digest was made for.", "公告内容与其摘要不符。"
        ),
        "chain_broken": Sentence(
            "An announcement does not replace the one before it.", "公告未正确承接其所替换的公告。"
        ),
        "no_reason": Sentence("The announcement was changed without a reason.", "公告变更未记录理由。"),
        "commitment_changed": Sentence(
            "A later announcement binds another seed than the first.", "后续公告更换了种子承诺。"
        ),
        "not_drawn": Sentence("The draw is not finished yet.", "抽奖尚未完成。"),
        "seed_differs": Sentence(
            "The seed is not the one that was bound before entries closed.", "种子与截止前公布的承诺不符。"
        ),
        "bad_entry": Sentence("This is not an entry.", "抽奖码格式有误。"),
        "not_sorted": Sentence("Entries are sorted, each once.", "抽奖码须排序且不得重复。"),
        "count_differs": Sentence(
            "There are not as many entries as were published at closing.", "抽奖码数量与截止时公布的不符。"
        ),
        "root_differs": Sentence(
            "The entries are not those whose root was published at closing.", "抽奖码与截止时公布的根哈希不符。"
        ),
        "out_of_time": Sentence("This did not happen in its time.", "时间顺序有误。"),
        "winner_differs": Sentence("Another entry was drawn for this place.", "该奖位应为另一抽奖码。"),
        "alternate_differs": Sentence("Another entry was drawn as this alternate.", "该候补应为另一抽奖码。"),
        "award_differs": Sentence(
            "The prize did not go to the winner, or to the next alternate after a forfeit.",
            "奖项未发给中奖者，或弃奖后未按候补顺序递补。",
        ),
        "key_differs": Sentence(
            "The key of the day is not the one that was bound before it.", "当日密钥与事先公布的承诺不符。"
        ),
        "play_differs": Sentence("The ticket drew something else.", "该抽奖券的结果应为另一项。"),
        "given_differs": Sentence(
            "What was given is neither what was drawn nor the fallback of a prize that ran out.",
            "发放的既不是所抽中的奖项，也不是奖项发完后的替代。",
        ),
        "over_quantity": Sentence("More were given than were announced.", "发放数量超过公告数量。"),
        "not_run_out": Sentence(
            "The fallback was given although the prize had not run out.", "奖项尚未发完却发放了替代。"
        ),
    }
)
"""All that can be wrong with a record, in both languages."""


# --- writing ----------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """JSON that is the same for the same content: keys sorted, no spaces, UTF-8 (RFC 8785 for what records hold)."""
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def announcement_digest(announcement: Announcement | dict[str, Any]) -> bytes:
    """What stands for an announcement."""
    return sha256(canonical(announcement)).digest()


def record_digest(record: dict[str, Any]) -> bytes:
    """What stands for a record: over everything in it but the digest itself."""
    return sha256(canonical({key: value for key, value in record.items() if key != "digest"})).digest()


def sealed(**parts: Any) -> Record:
    """The record of these parts, with its digests."""
    announcement: Announcement = parts["announcement"]
    parts["announcement_digest"] = announcement_digest(announcement).hex()
    record = Record(format="laurels.draw", version=1, digest="", **parts)
    return msgspec.structs.replace(record, digest=record_digest(msgspec.to_builtins(record)).hex())


def name_of(announcement: Announcement) -> str:
    """The name of a draw where it is hashed."""
    return f"{announcement.program}/{announcement.draw}"


def places_of(announcement: Announcement) -> list[str]:
    """The prize of each place of a scheduled draw, the first place first."""
    return [prize.prize for prize in announcement.prizes for _ in range(prize.quantity or 0)]


def odds_of(announcement: Announcement) -> list[Odds]:
    """The odds of an instant draw, in the order of its prizes; ValueError where one is not an exact fraction."""
    found = []
    for prize in announcement.prizes:
        numerator, slash, denominator = (prize.odds or "").partition("/")
        if not slash or not (numerator.isdecimal() and denominator.isdecimal() and int(denominator)):
            raise ValueError(f"{prize.odds!r} are no odds")
        found.append(Odds(prize.prize, int(numerator), int(denominator)))
    return found


# --- verifying --------------------------------------------------------------------------------------------------------


def verify(text: bytes) -> tuple[Record | None, tuple[Fault, ...]]:
    """The record, if it can be read, and all that is wrong with it; nothing is asked of anybody."""
    try:
        plain = msgspec.json.decode(text)
        record = msgspec.convert(plain, Record)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        return None, (Fault("malformed", "", str(error)),)
    faults = [*_digests(plain), *_chain(plain, record)]
    try:
        faults += _instant_draw(record) if record.announcement.kind == "instant" else _scheduled_draw(record)
    except (ValueError, AssertionError) as error:
        faults.append(Fault("malformed", "", str(error)))
    return record, tuple(faults)


def _differs(code: str, pointer: str, stated: str, computed: str) -> Iterator[Fault]:
    if stated != computed:
        yield Fault(code, pointer, stated, computed)


def _digests(plain: dict[str, Any]) -> Iterator[Fault]:
    yield from _differs("digest_differs", "/digest", plain["digest"], record_digest(plain).hex())
    must = announcement_digest(plain["announcement"]).hex()
    yield from _differs("announcement_differs", "/announcement", plain["announcement_digest"], must)


def _chain(plain: dict[str, Any], record: Record) -> Iterator[Fault]:
    """Each announcement replaces the one before it, says why, and binds the same seed."""
    chain = [*record.replaced, record.announcement]
    texts = plain.get("replaced", [])
    for n, each in enumerate(chain):
        last = n == len(chain) - 1
        pointer = "/announcement" if last else f"/replaced/{n}"
        bound = {day.day: day.commitment for day in chain[0].days}
        if each.commitment != chain[0].commitment or any(
            bound.get(day.day, day.commitment) != day.commitment for day in each.days
        ):
            yield Fault("commitment_changed", f"{pointer}/commitment", each.commitment, chain[0].commitment)
        if (each.program, each.draw, each.kind) != (chain[0].program, chain[0].draw, chain[0].kind):
            yield Fault("chain_broken", pointer, each.draw, chain[0].draw)
        if n == 0:
            if each.replaces is not None:
                yield Fault("chain_broken", f"{pointer}/replaces", each.replaces.digest, "")
            continue
        must = announcement_digest(texts[n - 1]).hex()
        if each.replaces is None:
            yield Fault("chain_broken", f"{pointer}/replaces", "", must)
            continue
        yield from _differs("chain_broken", f"{pointer}/replaces/digest", each.replaces.digest, must)
        if not any(reason.strip() for reason in each.replaces.reason.values()):
            yield Fault("no_reason", f"{pointer}/replaces/reason")
        if parse_instant(each.announced_at) < parse_instant(chain[n - 1].announced_at):
            yield Fault("out_of_time", f"{pointer}/announced_at", each.announced_at, chain[n - 1].announced_at)


def _in_time(*moments: tuple[str, str | None]) -> Iterator[Fault]:
    """Findings where a moment lies before the one ahead of it in the list; each with its pointer."""
    before: tuple[Instant, str] | None = None
    for pointer, text in moments:
        if text is None:
            continue
        at = parse_instant(text)
        if before is not None and at < before[0]:
            yield Fault("out_of_time", pointer, text, before[1])
        before = (at, text)


def _seed(record: Record) -> tuple[bytes, list[Fault]]:
    try:
        seed = bytes.fromhex(record.seed or "")
    except ValueError:
        seed = b""
    announcement = record.announcement
    computed = commitment_of(name_of(announcement), seed).hex()
    if len(seed) != SEED_BYTES or computed != announcement.commitment:
        return seed, [Fault("seed_differs", "/seed", announcement.commitment, computed)]
    return seed, []


def _scheduled_draw(record: Record) -> Iterator[Fault]:
    announcement, closing = record.announcement, record.closing
    if closing is None or record.seed is None or record.drawn_at is None:
        yield Fault("not_drawn", "/seed")
        return
    yield from _in_time(
        ("/announcement/opens_at", announcement.opens_at),
        ("/announcement/closes_at", announcement.closes_at),
        ("/closing/closed_at", closing.closed_at),
        ("/drawn_at", record.drawn_at),
    )
    yield from _in_time(
        ("/announcement/announced_at", announcement.announced_at), ("/closing/closed_at", closing.closed_at)
    )
    yield from _in_time(("/announcement/draws_at", announcement.draws_at), ("/drawn_at", record.drawn_at))
    seed, faults = _seed(record)
    yield from faults
    entries: list[Entry] = []
    for n, text in enumerate(record.entries):
        try:
            entries.append(entry_of(text))
        except ValueError:
            yield Fault("bad_entry", f"/entries/{n}", text)
    if len(entries) < len(record.entries):
        return
    place = next((n for n, (one, after) in enumerate(pairwise(entries), 1) if one >= after), 0)
    if place:
        yield Fault("not_sorted", f"/entries/{place}", record.entries[place])
        return
    yield from _differs("count_differs", "/closing/count", str(closing.count), str(len(entries)))
    root = root_of(entries)
    yield from _differs("root_differs", "/closing/root", closing.root, root.hex())
    yield from _winners(
        record, stream_key(name_of(announcement), seed, announcement_digest(announcement), root), entries
    )
    yield from _awards(record)


def _winners(record: Record, key: bytes, entries: Sequence[Entry]) -> Iterator[Fault]:
    announcement = record.announcement
    prizes = places_of(announcement)
    drawn = draw(key, entries, len(prizes), announcement.alternates, announcement.wins_most)
    must = [Winner(n, prizes[n - 1], entry.text) for n, entry in enumerate(drawn.winners, 1)]
    for n in range(max(len(must), len(record.winners))):
        stated = record.winners[n] if n < len(record.winners) else None
        computed = must[n] if n < len(must) else None
        if stated != computed:
            yield Fault("winner_differs", f"/winners/{n}", _shown(stated), _shown(computed))
    alternates = [entry.text for entry in drawn.alternates]
    for n in range(max(len(alternates), len(record.alternates))):
        given = record.alternates[n] if n < len(record.alternates) else ""
        yield from _differs(
            "alternate_differs", f"/alternates/{n}", given, alternates[n] if n < len(alternates) else ""
        )


def _shown(winner: Winner | None) -> str:
    return "" if winner is None else f"{winner.place} {winner.prize} {winner.entry}"


def _awards(record: Record) -> Iterator[Fault]:
    """Each place goes to its winner first; after a forfeit to the next alternate whom nobody called on before."""
    standing: dict[int, Award] = {}
    called = 0
    for n, award in enumerate(record.awards):
        before = standing.get(award.place)
        winner = next((each for each in record.winners if each.place == award.place), None)
        must: tuple[str, str, int | None] | None
        if before is None:
            must = None if winner is None else (winner.prize, winner.entry, None)
        elif winner is not None and before.status in ("forfeited", "refused") and called < len(record.alternates):
            called += 1
            must = (winner.prize, record.alternates[called - 1], called)
        else:
            must = None
        if must != (award.prize, award.entry, award.alternate):
            yield Fault(
                "award_differs", f"/awards/{n}", f"{award.place} {award.entry}", "" if must is None else must[1]
            )
        standing[award.place] = award


# --- instant draws ----------------------------------------------------------------------------------------------------


def _instant_draw(record: Record) -> Iterator[Fault]:
    announcement = record.announcement
    odds = odds_of(announcement)
    known = {each.day: each.commitment for each in announcement.days}
    yield from _in_time(
        ("/announcement/opens_at", announcement.opens_at), ("/announcement/closes_at", announcement.closes_at)
    )
    if record.seed is None:
        yield Fault("not_drawn", "/seed")
    else:
        _seed_bytes, faults = _seed(record)
        yield from faults
    given: Counter[str] = Counter()
    short: dict[str, str] = {}
    played: set[str] = set()
    for n, day in enumerate(record.days):
        pointer = f"/days/{n}"
        try:
            key = bytes.fromhex(day.key)
        except ValueError:
            yield Fault("key_differs", f"{pointer}/key", day.key)
            continue
        bound = day_commitment(name_of(announcement), day.day, key).hex()
        yield from _differs("key_differs", f"{pointer}/key", known.get(day.day, ""), bound)
        if record.seed is not None:
            yield from _differs("key_differs", f"{pointer}/key", day.key, day_key(_seed(record)[0], day.day).hex())
        for m, play in enumerate(day.plays):
            at = f"{pointer}/plays/{m}"
            try:
                entry = entry_of(play.entry)
            except ValueError:
                yield Fault("bad_entry", f"{at}/entry", play.entry)
                continue
            if play.entry in played or (m and entry <= entry_of(day.plays[m - 1].entry)):
                yield Fault("not_sorted", f"{at}/entry", play.entry)
            played.add(play.entry)
            drawn = drawn_instantly(key, entry, odds)
            yield from _differs("play_differs", f"{at}/drawn", play.drawn or "", drawn or "")
            if play.given == FALLBACK and drawn is not None:
                short.setdefault(drawn, at)
            elif play.given != drawn:
                yield Fault("given_differs", f"{at}/given", play.given or "", drawn or "")
            if play.given is not None and play.given != FALLBACK:
                given[play.given] += 1
    yield from _quantities(announcement, given, short)


def _quantities(announcement: Announcement, given: Counter[str], short: dict[str, str]) -> Iterator[Fault]:
    for n, prize in enumerate(announcement.prizes):
        if prize.quantity is None:
            if prize.prize in short:
                yield Fault("not_run_out", f"{short[prize.prize]}/given", FALLBACK, prize.prize)
            continue
        if given[prize.prize] > prize.quantity:
            pointer = f"/announcement/prizes/{n}/quantity"
            yield Fault("over_quantity", pointer, str(prize.quantity), str(given[prize.prize]))
        if prize.prize in short and given[prize.prize] < prize.quantity:
            yield Fault("not_run_out", f"{short[prize.prize]}/given", FALLBACK, prize.prize)
