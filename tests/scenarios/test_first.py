from tests.scenarios.story import Tell, shop

def test_a(tell: Tell) -> None:
    here = tell(shop("{pending: 7D}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "39.80", at="2026-03-02 10:00")
    assert here.points("ann") == (0, 39, 0, 0)
    here.give_back("ann", "o-2", refused="unknown_order")

def test_b(tell: Tell) -> None:
    here = tell(shop("{pending: 7D}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "39.80", at="2026-03-02 10:00")
    assert here.points("ann") == (0, 39, 0, 0)
    here.give_back("ann", "o-2", refused="unknown_order")
