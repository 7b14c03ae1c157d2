"""What others reserved of a pool and never came back for is free again once the worker has been round, not before."""

from laurels.core.facts import Priced
from laurels.jobs.worker import Worker
from tests.stage import Stage, asynchronous, instant, stage, submission

PROGRAM = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {}
promotions:
  tenth: {gives: {percent: 10%}, limits: [{budget: times, of: 1}]}
vouchers:
  once: {gives: {off: "5.00"}, code: ONCE, limits: [{budget: times, of: 1}]}
rewards:
  mug: {name: {en: Mug, zh-CN: 杯}, gives: goods, price: {wallet: points, points: 10}, stock: 1, hold: 1D}
"""
CART = {"order": "quote:q", "lines": [{"line": "1", "amount": "10.00"}]}


async def left(here: Stage) -> tuple[str, str, str]:
    """What somebody else is told of the budget of the promotion, that of the voucher, and the stock of the reward."""
    at = "2026-01-05"
    quoted = await here.intake.quote("cafe", submission("quote", "m-2", {"quote": "look", "cart": CART}, at=at))
    (priced,) = [fact for fact in quoted.facts if isinstance(fact, Priced)]
    codes = [offered.code for offered in priced.offers]
    for type, data in (
        ("voucher_reserve", {"code": "ONCE", "order": "o"}),
        ("redemption", {"redemption": "r-2", "reward": "mug", "hold": True}),
    ):
        looked = await here.intake.quote("cafe", submission(type, "m-2", data, at=at))
        codes.append("free" if looked.refusal is None else looked.refusal.code)
    promotion, voucher, reward = codes
    return promotion, voucher, reward


@asynchronous
async def test_what_others_left_reserved_is_free_again_with_the_first_round_after_its_time(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        await here.enrol("m-1", "m-2")
        for member in ("m-1", "m-2"):
            await here.give(member, 10, at="2026-01-01")
        await here.send("quote", "m-1", {"quote": "q", "cart": CART, "reserve": True}, at="2026-01-01")
        await here.send("voucher_reserve", "m-1", {"code": "ONCE", "order": "o"}, at="2026-01-01")
        await here.send("redemption", "m-1", {"redemption": "r", "reward": "mug", "hold": True}, at="2026-01-01")
        here.clock.at = instant("2026-01-05")
        # Its time is over, and nothing was recorded of m-1 since: the pools do not know, which is on the safe side.
        assert await left(here) == ("budget_exhausted", "voucher_exhausted", "out_of_stock")
        worker = Worker(here.database, here.intake, here.clock, every_seconds=1)
        assert (await worker.round()).woken == 1
        assert await left(here) == ("applied", "free", "free")
