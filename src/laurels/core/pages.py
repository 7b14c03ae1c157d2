"""Pages of lots: where a lot lies among a member's documents, and how pages are written.

Pages are kept in the order of consumption. New lots nearly always go to the end: there pages stay small (`FRESH` lots),
so that earning rewrites little, and full ones are merged into larger ones (`FULL` lots) behind it. The balance holds a
head for each page, from which everything can be told that does not need the lots themselves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from laurels.core.calendar import Instant
from laurels.core.facts import Part
from laurels.core.member import NEVER, Lot, LotKey, Page, PageHead, lot_key, page_key

if TYPE_CHECKING:
    from laurels.core.apply import Draft

FRESH: Final = 16
FULL: Final = 128

# What is asked of every lot of a page is asked without a step of Python for each.
_available_ats: Final = attrgetter("available_at")
_wholes: Final = attrgetter("lot", "points", "expires_at")
_END: Final[LotKey] = (NEVER + 1, 0, 0, "")
_NOWHERE: Final = (_END, _END)


def place_of(heads: tuple[PageHead, ...], key: LotKey) -> int:
    """Which page holds the key: the last whose first key is not greater; -1 before all."""
    last = len(heads) - 1
    if last >= 0 and heads[last].key <= key:
        return last
    return bisect_right(heads, key, key=_head_key) - 1


def _head_key(head: PageHead) -> LotKey:
    return head.key


def _head(number: int, page: Page) -> PageHead:
    first = page[0]
    # The instants at which pending lots activate lie ahead, so that none is 0.
    activates_at = min(filter(None, map(_available_ats, page)), default=None)
    return PageHead(number, first.expires_at, first.earned_at, first.lot, len(page), activates_at)


def activating(page: Page, at: Instant) -> list[Lot]:
    """The pending lots of a page whose waiting ends at or before an instant."""
    waiting = list(map(_available_ats, page))
    due = [each for each in filter(None, waiting) if each <= at]
    if len(due) == 1:
        return [page[waiting.index(due[0])]]
    return [lot for lot in page if lot.available_at is not None and lot.available_at <= at]


def key_of(lot: Lot) -> LotKey:
    """Where a lot stands in the order of consumption."""
    return lot_key(lot.expires_at, lot.earned_at, lot.lot)


def insert(draft: Draft, wallet: str, lot: Lot) -> None:
    """Puts a lot where it belongs: at the end of the last page, as nearly all earning does, or further in front."""
    balance = draft.own_balance(wallet)
    heads = balance.pages
    if not heads:
        write_pages(draft, wallet, 0, 0, [(lot,)])
        return
    head = heads[-1]
    document = page_key(wallet, head.number)
    last = draft.documents.get(document)
    if head.count < FRESH and isinstance(last, tuple) and _is_behind(lot, last[-1]):
        activates_at = head.activates_at
        if activates_at is None or (lot.available_at is not None and lot.available_at < activates_at):
            activates_at = lot.available_at
        draft.put(document, (*last, lot))
        grown = PageHead(head.number, head.expires_at, head.earned_at, head.lot, head.count + 1, activates_at)
        balance.pages = (*heads[:-1], grown)
        return
    key = key_of(lot)
    if head.count >= FRESH and head.key <= key and key > key_of(draft.page(wallet, head.number)[-1]):
        _merge_behind(draft, wallet)
        place = len(draft.balance(wallet).pages)
        write_pages(draft, wallet, place, place, [(lot,)])
        return
    place = max(place_of(heads, key), 0)
    page = draft.page(wallet, heads[place].number)
    spot = bisect_right(page, key, key=key_of)
    longer = (*page[:spot], lot, *page[spot:])
    half = FULL >> 1
    write_pages(draft, wallet, place, place + 1, [longer] if len(longer) <= FULL else [longer[:half], longer[half:]])


def _is_behind(lot: Lot, other: Lot) -> bool:
    """Whether a lot comes after another in the order of consumption."""
    expires_at = lot.expires_at
    if expires_at == other.expires_at:
        if lot.earned_at == other.earned_at:
            return key_of(lot) > key_of(other)
        return lot.earned_at > other.earned_at
    return expires_at is None or (other.expires_at is not None and expires_at > other.expires_at)


def _merge_behind(draft: Draft, wallet: str) -> None:
    """Before a fresh page begins, joins the full fresh one to the page before it while that has room."""
    heads = draft.balance(wallet).pages
    if len(heads) < 2 or heads[-2].count + heads[-1].count > FULL:
        return
    before, tail = draft.pages(wallet, heads[-2:])
    write_pages(draft, wallet, len(heads) - 2, len(heads), [before + tail])


def write_pages(draft: Draft, wallet: str, start: int, end: int, pages: list[Page]) -> None:
    """Replaces the pages in places `start` to `end` by these, reusing their numbers; empty ones vanish."""
    balance = draft.own_balance(wallet)
    heads = balance.pages
    numbers = [head.number for head in heads[start:end]]
    fresh: list[PageHead] = []
    for page in pages:
        if not page:
            continue
        if numbers:
            number = numbers.pop(0)
        else:
            number = balance.next_page
            balance.next_page = number + 1
        draft.put(page_key(wallet, number), page)
        fresh.append(_head(number, page))
    for number in numbers:
        draft.put(page_key(wallet, number), None)
    balance.pages = (*heads[:start], *fresh, *heads[end:])


def rewrite(draft: Draft, wallet: str, parts: tuple[Part, ...], change: Callable[[Lot, Part], Lot | None]) -> None:
    """Changes lots where they lie (None removes one), each page written once; the lots must be there."""
    heads = draft.balance(wallet).pages
    # What was held of a lot keeps its expiry when the rest of the lot gets another one, so a lot may lie in two places.
    by_place: dict[int, dict[tuple[str, Instant | None], Part]] = {}
    wanted: dict[tuple[str, Instant | None], Part] = {}
    first, behind = _NOWHERE
    for part in parts:
        key = lot_key(part.expires_at, part.earned_at, part.lot)
        # Parts come in the order of consumption, as a rule: the next one lies on the same page.
        if not first <= key < behind:
            place = place_of(heads, key)
            wanted = by_place.setdefault(place, {})
            first = heads[place].key if place >= 0 else key
            behind = heads[place + 1].key if place + 1 < len(heads) else _END
        wanted[part.lot, part.expires_at] = part
    for place in sorted(by_place, reverse=True):
        wanted = by_place[place]
        kept: list[Lot] = []
        for lot in draft.page(wallet, heads[place].number):
            part_of = wanted.pop((lot.lot, lot.expires_at), None)
            changed = lot if part_of is None else change(lot, part_of)
            if changed is not None:
                kept.append(changed)
        if wanted:
            raise AssertionError(f"{wallet}: no such lots: {', '.join(lot for lot, _expires_at in wanted)}")
        write_pages(draft, wallet, place, place + 1, [tuple(kept)])


def drop_front(draft: Draft, wallet: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Takes away the very lots that the wallet begins with while parts are as whole as they; the parts that are left.

    What `rewrite` would make of them, page by page instead of lot by lot.
    """
    emptied = done = 0
    for head in draft.balance(wallet).pages:
        if done == len(parts) or (parts[done].lot, parts[done].expires_at) != (head.lot, head.expires_at):
            break
        page = draft.page(wallet, head.number)
        many = min(len(page), len(parts) - done)
        if list(map(_wholes, page[:many])) != list(map(_wholes, parts[done : done + many])):
            break
        done += many
        if many < len(page):
            write_pages(draft, wallet, emptied, emptied + 1, [page[many:]])
            break
        emptied += 1
    if emptied:
        write_pages(draft, wallet, 0, emptied, [])
    return parts[done:]


def _is_waiting(lot: Lot, part: Part) -> bool:
    return lot.available_at is not None and lot.lot == part.lot and lot.expires_at == part.expires_at


def release(draft: Draft, wallet: str, part: Part, by: Lot) -> None:
    """Puts an available lot with the same key in the place of a pending one; it must be there.

    The balance no longer counts it as pending.
    """
    balance = draft.own_balance(wallet)
    heads = balance.pages
    place = 0 if len(heads) == 1 else place_of(heads, lot_key(part.expires_at, part.earned_at, part.lot))
    head = heads[place]
    page = draft.page(wallet, head.number)
    # The lots that wait are the newest, as a rule.
    spot = len(page) - 1
    while spot >= 0 and not _is_waiting(page[spot], part):
        spot -= 1
    if spot < 0:
        raise AssertionError(f"{wallet}: no such lot waits: {part.lot}")
    changed = (*page[:spot], by, *page[spot + 1 :])
    draft.put(page_key(wallet, head.number), changed)
    # Nearly always no other lot waits.
    activates_at = min(filter(None, map(_available_ats, changed)), default=None) if balance.pending else None
    there = PageHead(head.number, head.expires_at, head.earned_at, head.lot, head.count, activates_at)
    balance.pages = (there,) if len(heads) == 1 else (*heads[:place], there, *heads[place + 1 :])
