"""Redemptions over HTTP: what is held, what of it was captured, and what either is worth."""

from tests.api.harness import PROGRAM, api
from tests.stage import asynchronous


@asynchronous
async def test_capture_in_part_shows_what_was_held_and_what_was_captured_and_their_worth(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000)
        held = await here.post("/v1/redemptions", {"id": "r-1", "member": "m-1", "wallet": "points", "points": 400})
        assert held["redemption"]["worth"] == {"amount": "4.00", "currency": "CNY"}
        assert held["redemption"]["captured"] is None
        captured = (await here.post("/v1/redemptions/r-1/capture", {"points": 150}))["redemption"]
        # 100 points are worth 1.00, and a fraction of a cent is nobody's.
        assert (captured["points"], captured["worth"]) == (400, {"amount": "4.00", "currency": "CNY"})
        assert captured["captured"] == {"points": 150, "worth": {"amount": "1.50", "currency": "CNY"}}
        assert captured["spent"] == 150
        assert await here.get("/v1/redemptions/r-1") == captured
        cancelled = {"id": "r-2", "member": "m-1", "wallet": "points", "points": 100}
        await here.post("/v1/redemptions", cancelled)
        assert (await here.post("/v1/redemptions/r-2/cancel", {}))["redemption"]["captured"] is None


@asynchronous
async def test_points_of_a_wallet_that_pays_nothing_are_worth_nothing_stated(laurels_url: str) -> None:
    line = next(line for line in PROGRAM.splitlines() if line.startswith("    money:"))
    async with api(laurels_url, document=PROGRAM.replace(f"{line}\n", "")) as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000)
        body = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 5, "hold": False}
        redeemed = (await here.post("/v1/redemptions", body))["redemption"]
        assert (redeemed["worth"], redeemed["captured"]) == (None, {"points": 5, "worth": None})
