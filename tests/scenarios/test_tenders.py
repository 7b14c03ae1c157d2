"""Orders paid with points and gift cards: what they earn, and where money and points go back to."""

from tests.scenarios.answer import Answer
from tests.scenarios.document import cash, line, paid_with_points, shop
from tests.scenarios.story import Story, Tell

MONEY = 'money: {points: 100, worth: "1.00"}'


def rich(tell: Tell, points: str = f"{{{MONEY}}}", **parts: str) -> Story:
    """Ann has 4,000 points, worth 40.00."""
    here = tell(shop(points, **parts))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 4000, at="2026-03-01")
    return here


def paid_back(here: Story, returned: Answer) -> dict[int, str]:
    told = here.explanation("ann", returned.json["id"])["returned"]["paid_back"]
    return {each["tender"]: each["amount"] for each in told}


def test_the_part_paid_with_points_or_a_gift_card_earns_nothing_by_default(tell: Tell) -> None:
    """Case 4."""
    here = rich(tell)
    assert here.redeem("ann", "r", 4000)["worth"] == {"amount": "40.00", "currency": "CNY"}
    tenders = [paid_with_points("r", "40.00"), cash("50.00"), {"kind": "gift_card", "amount": "10.00"}]
    # 100.00 less 40.00 and 10.00.
    assert here.buy("ann", "o", "100.00", tenders=tenders).granted("base") == 50


def test_the_part_paid_with_points_earns_where_the_program_says_so(tell: Tell) -> None:
    """Case 4."""
    base = '{on: purchase, grant: {wallet: points, points: 1, per: "1.00", but: [paid_with_gift_card]}}'
    here = rich(tell, base=base)
    here.redeem("ann", "r", 4000)
    tenders = [paid_with_points("r", "40.00"), cash("50.00"), {"kind": "gift_card", "amount": "10.00"}]
    # 100.00 less 10.00 alone.
    assert here.buy("ann", "o", "100.00", tenders=tenders).granted("base") == 90


def test_what_points_paid_is_shared_over_all_lines_those_that_earn_nothing_included(tell: Tell) -> None:
    """Case 4."""
    here = rich(tell)
    here.redeem("ann", "r", 4000)
    tenders = [paid_with_points("r", "40.00"), cash("60.00")]
    # 40 % were paid with points: 24.00 of the 60.00 that earn. Shipping earns nothing anyway: 36.
    bought = here.buy("ann", "o", "60.00", line("40.00", kind="shipping"), tenders=tenders)
    assert bought.granted("base") == 36


def test_what_points_paid_is_no_spending_towards_a_tier(tell: Tell) -> None:
    """Case 4."""
    tracks = 'membership: {measure: {spent: net}, tiers: [{id: member}, {id: silver, enter: "100.00"}]}'
    here = rich(tell, tracks=tracks)
    here.redeem("ann", "r", 4000)
    # 139.99 less 40.00 is 99.99: a fen short.
    here.buy("ann", "o-1", "139.99", tenders=[paid_with_points("r", "40.00"), cash("99.99")])
    assert here.standing("ann")["next"] == {"tier": "silver", "missing": "0.01"}
    assert here.buy("ann", "o-2", "0.01").tier() == ("silver", True)


def test_an_order_paid_with_points_alone_earns_nothing_and_says_so(tell: Tell) -> None:
    """Case 4."""
    here = rich(tell)
    here.redeem("ann", "r", 4000)
    bought = here.buy("ann", "o", "40.00", tenders=[paid_with_points("r", "40.00")])
    assert bought.why("base") == ("nothing_to_grant", 0, 0)


def test_a_return_is_split_over_the_tenders_in_proportion_and_its_points_go_back(tell: Tell) -> None:
    """Case 4. Decision 3."""
    here = rich(tell)
    here.redeem("ann", "r", 4000)
    here.buy("ann", "o", "100.00", tenders=[paid_with_points("r", "40.00"), cash("60.00")])
    assert here.points("ann") == (60, 0, 0, 0)
    # Half: 20.00 in points, which are 2,000, and 30.00 in cash. Of 60 earned floor(60 x 50 / 100) = 30 go.
    returned = here.give_back("ann", "o", ("1", "50.00"))
    assert paid_back(here, returned) == {0: "20.00", 1: "30.00"}
    assert returned.moved("redemption", "available") == 2000
    assert returned.moved("available", "issuance") == 30
    assert here.points("ann") == (2030, 0, 0, 0)
    assert here.redemption("r")["spent"] == 2000


def test_in_pieces_tenders_sum_to_what_was_paid_and_points_to_what_was_spent(tell: Tell) -> None:
    """Case 1. Decision 3."""
    here = rich(tell)
    here.redeem("ann", "r", 3334)
    here.buy("ann", "o", "100.00", tenders=[paid_with_points("r", "33.34"), cash("66.66")])
    points, fen = 0, {0: 0, 1: 0}
    for amount in ("0.01", "33.33", "33.33", "33.33"):
        returned = here.give_back("ann", "o", ("1", amount))
        points += returned.moved("redemption", "available")
        for tender, back in paid_back(here, returned).items():
            fen[tender] += int(back.replace(".", ""))
    assert (points, fen) == (3334, {0: 3334, 1: 6666})
    # All 4,000 are there again, and none of the 66 that were earned.
    assert here.points("ann") == (4000, 0, 0, 0)


def test_a_return_may_name_its_tenders_and_no_tender_gives_back_more_than_it_paid(tell: Tell) -> None:
    """Decision 3."""
    here = rich(tell)
    here.redeem("ann", "r", 4000)
    here.buy("ann", "o", "100.00", tenders=[paid_with_points("r", "40.00"), cash("60.00")])
    named = [paid_with_points("r", "40.00"), cash("10.00")]
    assert here.give_back("ann", "o", ("1", "50.00"), tenders=named).moved("redemption", "available") == 4000
    # Of points nothing is left, and of cash 50.00.
    too_many = [paid_with_points("r", "0.01"), cash("49.99")]
    here.give_back("ann", "o", ("1", "50.00"), tenders=too_many, refused="return_exceeds_purchase")
    assert paid_back(here, here.give_back("ann", "o")) == {1: "50.00"}


def test_points_go_back_to_the_lots_they_came_from_with_their_original_expiry(tell: Tell) -> None:
    """Decision 3."""
    here = tell(shop(f"{{expires: {{after: 12M}}, {MONEY}}}"))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 1000, expires="2026-06-01")
    here.adjust("ann", 3000, expires="2026-09-01")
    here.redeem("ann", "r", 4000)
    here.buy("ann", "o", "40.00", tenders=[paid_with_points("r", "40.00")])
    assert here.expiring("ann") == []
    # As if only 2,000 had been spent in the first place: the 1,000 of June and 1,000 of September are still gone.
    here.give_back("ann", "o", ("1", "20.00"))
    assert here.expiring("ann") == [(2000, "2026-09-01 00:00")]
    here.give_back("ann", "o")
    assert here.expiring("ann") == [(1000, "2026-06-01 00:00"), (3000, "2026-09-01 00:00")]
    (entry,) = [each for each in here.journal("ann") if each["out_of"] == "redemption" and len(each["lots"]) == 2]
    assert [lot["points"] for lot in entry["lots"]] == [1000, 1000]


def test_points_given_back_after_their_expiry_expire_at_once_or_live_on_for_the_grace(tell: Tell) -> None:
    """Decision 3. Decision 8."""
    for grace, expected in (("", []), ("restore_grace: 7D, ", [(1000, "2026-06-17 12:00")])):
        here = tell(shop(f"{{{grace}expires: {{after: 12M}}, {MONEY}}}"))
        here.enrol("ann", at="2026-03-01")
        here.adjust("ann", 1000, expires="2026-06-01")
        here.redeem("ann", "r", 1000)
        here.buy("ann", "o", "10.00", tenders=[paid_with_points("r", "10.00")])
        returned = here.give_back("ann", "o", at="2026-06-10 12:00")
        assert returned.moved("redemption", "available") == 1000
        assert returned.moved("available", "breakage") == (0 if expected else 1000)
        assert here.expiring("ann") == expected


def test_a_points_tender_must_fit_the_redemption_that_it_names(tell: Tell) -> None:
    """Case 4. Decision 3."""
    here = rich(tell)
    tenders = [paid_with_points("r-1", "10.00")]
    here.buy("ann", "o", "10.00", tenders=tenders, refused="unknown_redemption")
    here.hold("ann", "r-1", 1000)
    # 1,000 points are worth 10.00.
    more = [paid_with_points("r-1", "10.01")]
    here.buy("ann", "o", "10.01", tenders=more, refused="points_tender_mismatch")
    here.cancel("r-1")
    here.buy("ann", "o", "10.00", tenders=tenders, refused="points_tender_mismatch")
    here.redeem("ann", "r-2", 1000)
    here.buy("ann", "o", "10.00", tenders=[paid_with_points("r-2", "10.00")])


def test_points_pay_no_larger_share_of_an_order_than_allowed_and_keep_to_minimum_and_steps(tell: Tell) -> None:
    """Case 4."""
    money = '{money: {points: 100, worth: "1.00", minimum: 500, multiple: 100, largest_share: 50%}}'
    here = rich(tell, money)
    here.redeem("ann", "r-1", 400, refused="below_minimum")
    here.redeem("ann", "r-1", 550, refused="not_a_multiple")
    here.redeem("ann", "r-1", 1000)
    here.redeem("ann", "r-2", 1000)
    # Two tenders of 10.00 in points are 20.00 of 39.99: more than half. Of 40.00 they are half.
    both = [paid_with_points("r-1", "10.00"), paid_with_points("r-2", "10.00")]
    here.buy("ann", "o", "39.99", tenders=[*both, cash("19.99")], refused="share_exceeded")
    assert here.buy("ann", "o", "40.00", tenders=[*both, cash("20.00")]).granted("base") == 20
