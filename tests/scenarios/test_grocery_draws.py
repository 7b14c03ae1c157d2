"""The draws of the demo's program: what a ticket costs, what is promised in two languages, a wheel that is played."""

from __future__ import annotations

import json
from collections import Counter

from laurels.core.draw_record import verify
from laurels.core.program.draws_model import RULES
from laurels.core.program.loading import examine
from tests.programs.living import StoryLife, text_of
from tests.scenarios.document import line
from tests.scenarios.story import Tell


def test_what_the_law_of_china_asks_for_is_said_in_both_languages() -> None:
    """The chain is not in China; the pack of rules for China is held to the draws all the same, in yuan."""
    text = text_of("grocery").replace("currency: USD", "currency: CNY")
    examined = examine(text)
    assert examined.program is not None
    assert examined.program.jurisdiction == "CN"
    assert examined.findings == ()
    for draw in examined.program.draws:
        assert set(draw.rules) == set(RULES)
        assert all(set(texts) == {"en", "zh-CN"} for texts in draw.rules.values())
        assert all(prize.value is not None for prize in draw.prizes)
        assert all((prize.odds if draw.kind == "instant" else prize.quantity) is not None for prize in draw.prizes)


def test_a_ticket_for_every_fifty_dollars_twenty_a_month(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    ann.enrol("2017-09-01")
    # September is before the draw; 120 dollars are two tickets; 1,200 would be 24, of which the month has 18 left.
    told = [
        ann.buy(f"o-{n}", line(amount, "GROCERY"), at=at).why("thanksgiving_tickets")
        for n, (amount, at) in enumerate(
            [
                ("100.00", "2017-09-30 10:00"),
                ("120.00", "2017-10-01 10:00"),
                ("49.99", "2017-10-02 10:00"),
                ("1200.00", "2017-10-03 10:00"),
                ("50.00", "2017-11-30 23:59"),
                ("50.00", "2017-12-01 00:00"),
            ]
        )
    ]
    assert [granted for _code, _wanted, granted in told] == [0, 2, 0, 18, 1, 0]
    assert (told[0][0], told[3][1], told[5][0]) == ("draw_not_open", 24, "draw_not_open")


def test_a_gift_card_is_won_a_hamper_claimed_and_the_wheel_played(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    here = ann.story
    for n in range(30):
        here.enrol(f"m-{n}", at="2017-10-01")
        here.buy(f"m-{n}", f"o-{n}", "100.00", at="2017-10-05 10:00")
    here.clock("2017-12-04 12:00")
    record = here.get("/v1/draws/thanksgiving/record")
    assert (len(record["entries"]), len(record["winners"]), len(record["alternates"])) == (60, 26, 4)
    cards = Counter(here.points(f"m-{n}", "gift_card")[0] for n in range(30))
    assert cards == {2500: 20, 0: 10}
    here.post("m-0", "check_in", at="2017-12-04 12:30")
    second = here.post("m-0", "check_in", at="2017-12-04 12:40")
    assert second.why("daily_spin")[2] == 0, "one a day"
    status, played = here.call("POST", "/v1/members/m-0/draws/wheel/play", {})
    assert (status, played["given"] in {None, "mug", "five", "points"}) == (200, True)
    here.clock("2018-02-10")
    settled = here.get("/v1/draws/thanksgiving/record")
    assert verify_faults(settled) == []
    # Nobody came for the five hampers and the appliances: each went on to alternates until there were none.
    assert Counter(each["status"] for each in settled["awards"]) == {"given": 20, "forfeited": 6, "open": 4}


def verify_faults(record: object) -> list[str]:
    return [fault.code for fault in verify(json.dumps(record).encode())[1]]
