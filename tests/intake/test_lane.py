"""Who shares a batch with whom: nobody starves, members keep their order, programs take turns."""

import asyncio

from laurels.intake.admission import Item
from laurels.intake.lane import Batch, Lane, Line, Request, Waiting
from tests.stage import asynchronous, submission


def items(name: str, count: int) -> list[Item]:
    return [Item(submission("check_in", f"{name}-{n}")) for n in range(count)]


def line(*requests: list[Item], in_order: bool = False) -> Line:
    made = Line()
    made.in_order = in_order
    made.waiting.extend(Waiting(Request(len(part)), part) for part in requests)
    return made


def names(batch: Batch) -> list[str]:
    return [item.submission.member for _, part in batch for item in part]


@asynchronous
async def test_a_small_request_shares_the_next_batch_with_a_large_one() -> None:
    large, small = items("large", 1000), items("small", 1)
    waiting = line(large, small)
    first = names(waiting.take(100))
    assert "small-0" in first
    assert len(first) == 100
    taken = [name for name in first if name != "small-0"]
    while batch := names(waiting.take(100)):
        taken += batch
    assert taken == [item.submission.member for item in large]


@asynchronous
async def test_in_a_program_with_a_clock_of_its_own_first_come_is_first_served() -> None:
    waiting = line(items("a", 150), items("b", 1), in_order=True)
    taken = names(waiting.take(100)) + names(waiting.take(100))
    assert taken == [*[f"a-{n}" for n in range(150)], "b-0"]


@asynchronous
async def test_every_item_is_taken_once_and_batches_are_full_while_there_is_enough() -> None:
    requests = [items(f"r{n}", n * 7 % 50 + 1) for n in range(40)]
    waiting = line(*requests)
    sizes, taken = [], []
    while batch := names(waiting.take(64)):
        sizes.append(len(batch))
        taken += batch
    assert sorted(taken) == sorted(item.submission.member for part in requests for item in part)
    assert set(sizes[:-1]) == {64}


@asynchronous
async def test_while_one_batch_is_carried_out_the_next_gathers_and_programs_take_turns() -> None:
    carried: list[tuple[str, int]] = []
    going = asyncio.Event()

    async def carry_out(program: str, batch: Batch) -> None:
        carried.append((program, len(names(batch))))
        await going.wait()
        for request, part in batch:
            request.settle(len(part))

    lane = Lane(carry_out, 10)
    work = asyncio.create_task(lane.work())
    requests = []

    def put(program: str, count: int) -> None:
        request = Request(count)
        requests.append(request)
        lane.put(program, request, items(program, count), in_order=False)

    put("a", 1)
    await asyncio.sleep(0)
    for _ in range(5):
        put("a", 3)
    put("b", 2)
    going.set()
    await asyncio.gather(*[request.settled() for request in requests])
    lane.end()
    await work
    assert carried == [("a", 1), ("a", 10), ("b", 2), ("a", 5)]


@asynchronous
async def test_a_request_of_nothing_is_settled_at_once() -> None:
    await Request(0).settled()
