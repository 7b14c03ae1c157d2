"""A member with ten thousand open lots, brought from another system: everything stays exact."""

from datetime import datetime, timedelta, timezone
from typing import Any

from tests.scenarios.document import shop
from tests.scenarios.story import Tell

LOTS = 10_000


def test_earning_and_redeeming_stay_exact_with_ten_thousand_open_lots(tell: Tell) -> None:
    """Case 16."""
    here = tell(shop("{expires: {after: 12M}}"))
    here.enrol("ann", at="2026-03-01")
    begin = datetime(2026, 12, 1, tzinfo=timezone(timedelta(hours=8)))
    lots: list[dict[str, Any]] = [
        {
            "points": 1 + n % 7,
            "earned_at": "2026-01-01T00:00:00Z",
            # Sent in a jumbled order: 7,919 has no divisor in common with 10,000, so every minute is there once.
            "expires_at": (begin + timedelta(minutes=n * 7919 % LOTS)).isoformat(),
        }
        for n in range(LOTS)
    ]
    here.post("ann", "opening_balance", {"wallet": "points", "lots": lots})
    # 10,000 and 1,428 rounds of 0 + 1 + ... + 6 = 21, which is 29,988, and 0 + 1 + 2 + 3: 39,994.
    total = LOTS + 1428 * 21 + 6
    assert total == 39_994
    assert here.points("ann") == (total, 0, 0, 0)
    expiring = here.wallet("ann")["expiring"]
    assert len(expiring) == LOTS
    assert [each["at"] for each in expiring] == sorted(each["at"] for each in expiring)
    # What is earned now expires last, on 2 March 2027.
    assert here.buy("ann", "o", "12.34", at="2026-03-02").points() == (total + 12, 0, 0, 0)
    # The earliest to expire are spent: as many whole lots as fit, and part of the next.
    held = here.hold("ann", "r-1", 20_000)
    ordered = [lot["points"] for lot in sorted(lots, key=lambda lot: str(lot["expires_at"]))]
    whole = next(n for n in range(LOTS) if sum(ordered[: n + 1]) > 20_000)
    consumed = [lot["points"] for lot in held["lots"]]
    assert consumed == [*ordered[:whole], *([20_000 - sum(ordered[:whole])] if sum(ordered[:whole]) < 20_000 else [])]
    here.cancel("r-1")
    assert here.wallet("ann")["expiring"][:LOTS] == expiring
    # All of it at once, and nothing more.
    here.redeem("ann", "r-2", total + 13, refused="insufficient_points")
    assert len(here.redeem("ann", "r-2", total + 12)["lots"]) == LOTS + 1
    assert here.points("ann") == (0, 0, 0, 0)
    # Giving back to as many lots is exact too, and they expire one by one.
    assert here.buy("ann", "o-2", "5.00").points() == (5, 0, 0, 0)


def test_ten_thousand_lots_expire_each_at_its_instant(tell: Tell) -> None:
    """Case 16."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    begin = datetime(2026, 4, 1, tzinfo=timezone(timedelta(hours=8)))
    lots = [
        {"points": 2, "earned_at": "2026-01-01T00:00:00Z", "expires_at": (begin + timedelta(minutes=n)).isoformat()}
        for n in range(LOTS)
    ]
    here.post("ann", "opening_balance", {"wallet": "points", "lots": lots})
    # After 4,000 minutes, which are 2 days and 18:40 hours, 4,001 lots have expired.
    here.drift("2026-04-03 18:40")
    assert here.points("ann") == (2 * (LOTS - 4001), 0, 0, 0)
    here.redeem("ann", "r", 2 * (LOTS - 4001))
    assert here.points("ann") == (0, 0, 0, 0)
