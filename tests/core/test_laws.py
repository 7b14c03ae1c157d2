"""The laws of the design as properties, over random programs and random histories.

The harness asserts after every step that state is the fold of facts, that balances are the sums of lots, holds and
entries, that deciding is deterministic and changes nothing it was given, and that nothing due is left undone. Here
come the laws that speak of more than one step.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings

from laurels.core.calendar import MICROSECONDS_PER_DAY, Instant
from laurels.core.facts import Accrued, LimitUsed, Moved, OrderReturned, decode_facts
from laurels.core.member import Expired, Order, Purchased, Redemption
from laurels.core.program.model import Budget, Cooldown, MemberLimit
from tests.core.harness import World, all_of, lots_of
from tests.core.histories import SEEDS, Story, history_of, money, program_of

few = settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@few
@given(SEEDS)
def test_every_step_keeps_the_laws_and_the_whole_is_the_fold_of_its_facts(seed: int) -> None:
    chance = Random(seed)
    story = Story(program_of(chance))
    for step in history_of(chance, 25):
        answer = story.take(step)
        if step.kind == "return" and answer.refusal is None:
            assert not any(entry.out_of == "issuance" for entry in answer.entries), "a return yields points"
    for member in ("m", "n"):
        story.world.replay(member)
    assert_orders(story.world)
    assert_limits(story.world)


def assert_orders(world: World) -> None:
    """Returns take back what was earned and never more; all of it once the order is back; money likewise."""
    stored = world.members["m"]
    for key, order in stored.all().documents.items():
        if not isinstance(order, Order):
            continue
        recorded = stored.read(f"activity/{order.seq}")
        assert isinstance(recorded, Purchased)
        taken = {each.grant: each for each in order.taken}
        lines = {line.line: line for line in recorded.purchase.lines}
        back = order.returned
        for line in lines.values():
            if line.line in back:
                assert 0 <= back[line.line].amount <= line.amount
                assert 0 <= back[line.line].quantity <= line.quantity
        whole = bool(back) and all(
            (line.amount == 0 and line.quantity == 0)
            or (line.line in back and (back[line.line].amount if line.amount else back[line.line].quantity)
                == (line.amount or line.quantity))
            for line in lines.values()
        )  # fmt: skip
        for n, earned in enumerate(recorded.earned):
            points = taken[n].points if n in taken else 0
            assert points <= earned.points, key
            assert points == earned.points or not whole, f"{key} is back and {earned} is not"
        for n, tender in enumerate(recorded.purchase.tenders):
            paid = order.paid_back.get(str(n), 0)
            assert 0 <= paid <= tender.amount
            assert paid == tender.amount or not whole
        for redemption, points in order.restored.items():
            known = stored.read(f"redemption/{redemption}")
            assert isinstance(known, Redemption)
            assert points <= known.restored <= known.spent
    for document in stored.all().documents.values():
        if isinstance(document, Expired):
            assert 0 <= document.reinstated <= document.points


def assert_limits(world: World) -> None:
    """No limit was ever exceeded, counted anew from what was granted and taken back."""
    compiled = world.versions.judging(0)
    campaigns = {campaign.id: campaign for campaign in compiled.program.campaigns}
    used: Counter[tuple[str, str, Instant]] = Counter()
    said: Counter[tuple[str, Instant]] = Counter()
    for id, stored in world.members.items():
        for each in stored.recorded:
            for fact in decode_facts(each.facts):
                moves: list[tuple[str, int, Instant]] = []
                if isinstance(fact, Accrued):
                    moves = [(grant.campaign, grant.points, fact.at) for grant in fact.grants if grant.rule is None]
                elif isinstance(fact, OrderReturned):
                    order = stored.read(f"order/{fact.order}")
                    assert isinstance(order, Order)
                    recorded = stored.read(f"activity/{order.seq}")
                    assert isinstance(recorded, Purchased)
                    for taken in fact.taken:
                        earned = recorded.earned[taken.grant]
                        if earned.tier is None:
                            moves.append((earned.campaign, -taken.points, recorded.opened.at))
                elif isinstance(fact, LimitUsed) and fact.limit.endswith("_points"):
                    said[f"{id}/{fact.limit}", fact.period] += fact.by
                for campaign, points, at in moves:
                    for limit in campaigns[campaign].limits:
                        if isinstance(limit, MemberLimit) and limit.unit == "points":
                            start = 0 if isinstance(limit.every, str) else compiled.zone.period_start(at, limit.every)
                            used[f"{id}/{campaign}", limit.key, start] += points
                        elif isinstance(limit, Budget) and limit.unit == "points":
                            used[campaign, "budget", 0] += points
                for (campaign, name, _start), points in used.items():
                    assert points >= 0
                    for limit in campaigns[campaign.rpartition("/")[2]].limits:
                        of_member = isinstance(limit, MemberLimit) and limit.key == name
                        of_all = isinstance(limit, Budget) and name == "budget" and limit.unit == "points"
                        if of_member or of_all:
                            assert not isinstance(limit, Cooldown)
                            assert points <= limit.most
    for (campaign, name, start), points in used.items():
        if name == "budget":
            assert world.pools[f"campaign/{campaign}/points"] == points
        else:
            assert said[f"{campaign}/{name}", start] == points


@few
@given(SEEDS)
def test_it_makes_no_difference_how_often_a_sweep_ran(seed: int) -> None:
    chance = Random(seed)
    document = program_of(chance)
    rarely, often = Story(document), Story(document)
    rarely.world.checks = False
    for step in history_of(chance, 20):
        if step.kind in ("reinstate", "extend"):
            continue  # They name lots by id, and ids count activities.
        begin = often.world.now
        for share in sorted(chance.randint(0, 100) for _ in range(3)):
            often.world.clock(begin + step.after * share // 100, "m")
            often.world.clock(often.world.now, "n")
        often.world.now = rarely.world.now
        assert rarely.take(step).code == often.take(step).code, step
    end = often.world.now + chance.choice((0, 1, 30, 200)) * MICROSECONDS_PER_DAY
    for member in ("m", "n"):
        looked = often.world.look(member, end)
        for story in (rarely, often):
            story.world.clock(end, member)
        recorded = often.world.members[member].all()
        # Reading brings up to an instant what a sweep would record then.
        for root in (looked.root, recorded.root):
            root.seq = root.now = 0
        assert looked.root == recorded.root
        assert {key: each for key, each in looked.documents.items() if key != "root" and each is not None} == {
            key: each for key, each in recorded.documents.items() if key != "root"
        }
        assert normal(rarely.world, member) == normal(often.world, member)


def normal(world: World, member: str) -> Any:
    """A member's state and journal without what counts activities: numbers and the ids of lots."""
    looked = world.members[member].all()
    root = looked.root
    wallets = {
        id: (
            (balance.available, balance.pending, balance.held, balance.debt, balance.earned, balance.expires_at),
            sorted(
                (lot.points, lot.earned_at, lot.expires_at or 0, lot.available_at or 0, lot.until or "", lot.tier or "")
                for lot in lots_of(looked, id)
            ),
        )
        for id, balance in root.wallets.items()
    }
    rest = (root.tracks, root.limits, root.cooldowns, root.counters, root.holds, root.due_at, root.wake_at)
    redemptions = {
        key: (document.points, document.status, document.ended_at, document.spent, document.restored)
        for key, document in looked.documents.items()
        if isinstance(document, Redemption)
    }
    measures = {key: document for key, document in looked.documents.items() if key.startswith("measures/")}
    journal = sorted(_told(entry) for entry in all_of(world, member))
    return wallets, rest, redemptions, measures, journal


def _told(entry: Moved) -> tuple[Any, ...]:
    return (
        entry.at,
        entry.wallet,
        entry.kind,
        entry.points,
        entry.out_of,
        entry.into,
        entry.campaign or "",
        entry.rule or "",
        entry.order or "",
        entry.redemption or "",
        entry.expires_at or 0,
        entry.reason or "",
    )


@few
@given(SEEDS)
def test_a_full_return_in_pieces_takes_back_what_a_full_return_at_once_takes(seed: int) -> None:
    chance = Random(seed)
    story = Story(program_of(chance))
    for step in history_of(chance, 12):
        story.take(step)
    lines = [money(chance.randint(1, 4000)) for _ in range(chance.randint(1, 3))]
    quantities = [str(chance.randint(1, 3)) for _ in lines]
    bought = [{"amount": a, "quantity": q, "category": "beans"} for a, q in zip(lines, quantities, strict=True)]
    assert story.world.buy("last", *bought).refusal is None
    if chance.random() < 0.5:
        story.world.redeem("spent", max(story.world.balance().available // 2, 1))
    at_once, pieces = story.world.fork(), story.world.fork()
    at_once.give_back("last")
    for _ in range(chance.randint(1, 6)):
        n = chance.randint(1, len(lines))
        pieces.give_back("last", (str(n), money(chance.randint(1, 2500))))
    pieces.give_back("last")
    assert total(at_once) == total(pieces)
    for wallet in ("points", "growth"):
        assert at_once.points(wallet) == pieces.points(wallet)
    assert at_once.pools == pieces.pools
    assert at_once.look().root.limits == pieces.look().root.limits
    # Where returns end a tier before its time, giving back in pieces can pass through another one.
    if all(track.on_return == "stay" for track in at_once.versions.judging(0).program.tracks):
        assert at_once.look().root.tracks == pieces.look().root.tracks


def total(world: World) -> Any:
    order = world.members["m"].read("order/last")
    assert isinstance(order, Order)
    return (
        [(each.grant, each.points, sorted((share.line, share.points) for share in each.lines)) for each in order.taken],
        order.forgiven,
        order.paid_back,
    )
