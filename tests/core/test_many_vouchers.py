"""A member with a great many open vouchers: one list, which a decision copies once and then changes in place."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from laurels.core.activity import Activity, parse
from laurels.core.apply import apply
from laurels.core.calendar import MICROSECONDS_PER_HOUR, Instant
from laurels.core.decide import Circumstances, Decision, decide
from laurels.core.facts import AnyFact, VoucherEnded, VoucherIssued
from laurels.core.folding_vouchers import LIST, OpenVouchers
from laurels.core.member import Member, Missing, OpenVoucher, Vouchers, encode_document
from tests.core.harness import World, shop

MANY = 300


def crowded(many: int = MANY) -> tuple[World, Member, list[VoucherIssued]]:
    """A member with vouchers that expire an hour after another, in no order of theirs; and these."""
    here = World(shop(vouchers={"ten": {"gives": {"off": "10.00"}, "expires": {"after": "365D"}}}))
    here.enrol(at="2026-03-01 10:00")
    hours = list(range(1, many + 1))
    Random(many).shuffle(hours)
    issued = [
        VoucherIssued(f"CODE{n}", "ten", here.now, here.now + hour * MICROSECONDS_PER_HOUR, "person", 1)
        for n, hour in enumerate(hours)
    ]
    return here, apply(Member("m", {**here.look().documents, LIST: None}), issued, 2, here.now), issued


def decided(here: World, member: Member, type: str, data: bytes, at: Instant) -> Decision:
    declared = here.versions.declared
    assert declared is not None
    activity = parse(source="pos", id=type, type=type, member="m", occurred_at=at, data=data, declared=declared)
    assert isinstance(activity, Activity)
    documents = dict(member.documents)
    while True:
        try:
            outcome = decide(here.versions, Member("m", documents), activity, Circumstances(at, {}, "0f" * 16))
        except Missing as missing:
            documents.update(dict.fromkeys(missing.keys))
        else:
            assert isinstance(outcome, Decision), outcome
            return outcome


def ended(facts: tuple[AnyFact, ...]) -> list[tuple[Instant, str]]:
    return [(fact.at, fact.code) for fact in facts if isinstance(fact, VoucherEnded)]


def test_as_many_as_there_are_expire_each_at_its_instant_and_each_is_looked_at_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, member, issued = crowded()
    looked = 0

    def due_at(entry: OpenVoucher) -> Instant | None:
        nonlocal looked
        looked += 1
        return entry.expires_at

    monkeypatch.setattr(OpenVoucher, "due_at", property(due_at))
    done = decided(here, member, "clock", b"{}", here.now + (MANY + 1) * MICROSECONDS_PER_HOUR)
    assert ended(done.facts) == sorted((fact.expires_at or 0, fact.code) for fact in issued)
    assert done.member.documents[LIST] is None
    assert done.member.root.vouchers_at is None
    assert looked < 12 * MANY, "the whole list is gone through for each of them"


@pytest.mark.parametrize(
    ("type", "data", "hours"),
    [
        ("voucher_issue", b'{"voucher": "ten"}', 0),
        ("voucher_revoke", b'{"code": "CODE7"}', 0),
        ("purchase", b'{"order": "o", "lines": [{"line": "1", "amount": "20.00"}], "vouchers": ["CODE7"]}', 0),
        ("clock", b"{}", 20),
    ],
)
def test_what_a_decision_does_to_the_list_is_not_seen_in_what_it_was_handed(type: str, data: bytes, hours: int) -> None:
    here, member, _issued = crowded(40)
    before = {key: encode_document(each) for key, each in member.documents.items() if isinstance(each, Vouchers)}
    done = decided(here, member, type, data, here.now + hours * MICROSECONDS_PER_HOUR)
    assert LIST in done.changed
    assert {
        key: encode_document(each) for key, each in member.documents.items() if isinstance(each, Vouchers)
    } == before
    after = done.member.documents[LIST]
    assert isinstance(after, Vouchers)
    kept = encode_document(after)
    decided(here, done.member, "voucher_issue", b'{"voucher": "ten"}', here.now + 20 * MICROSECONDS_PER_HOUR)
    assert encode_document(after) == kept


@pytest.mark.parametrize("seed", range(20))
def test_what_falls_due_next_is_what_a_search_through_all_of_them_would_find(seed: int) -> None:
    chance = Random(seed)
    known = {f"c{n}": _entry(chance) for n in range(chance.randrange(6))}
    opened = OpenVouchers(known)
    naive: dict[str, Any] = dict(known)
    for _ in range(60):
        code = f"c{chance.randrange(8)}"
        entry = _entry(chance) if chance.random() < 0.6 else None
        opened.put(code, entry)
        naive = {key: each for key, each in {**naive, code: entry}.items() if each is not None}
        dues = {key: each.due_at for key, each in naive.items() if each.due_at is not None}
        if chance.random() < 0.5:
            assert opened.next_due() == min(dues.values(), default=None)
        at = chance.randrange(12)
        if chance.random() < 0.5:
            assert opened.due(at) == sorted(key for key, due in dues.items() if due <= at)
        assert opened.by_code == naive


def _entry(chance: Random) -> OpenVoucher:
    times: tuple[Instant | None, ...] = (None, *range(10))
    return OpenVoucher("ten", chance.choice(times), chance.choice((None, chance.choice(times))))
