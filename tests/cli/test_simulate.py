"""simulate: stored activities or files under any program, with the difference to what is stored."""

import msgspec

from tests.cli.giving import PROGRAM, Giving, run


def test_stored_activities_under_the_same_program_differ_in_nothing(give: Giving) -> None:
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00", "o-2,m-1,2026-03-02,60.00", "o-3,m-2,2026-03-03,20.00")
    result = give.json("simulate", "program.yaml", "--stored", "--diff")
    assert result["simulated"] == result["difference"]["stored"]
    assert result["simulated"]["wallets"]["points"]["outstanding"] == 130
    assert result["simulated"]["tracks"] == {"membership": {"member": 1, "silver": 1}}
    assert result["difference"]["wallets"]["points"]["same"] == 2


def test_another_program_shows_who_gains(give: Giving) -> None:
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00", "o-2,m-2,2026-03-02,60.00")
    double = give.file(
        "double.yaml", PROGRAM.replace("points: 1, per", "points: 2, per").replace('"100.00"', '"60.00"')
    )
    said = give.says("simulate", double, "--stored", "--diff")
    assert "3 activities" not in said
    assert "4 activities of 2 members under cafe" in said
    assert "Nothing was written" in said
    assert "2 members gain 110, 0 lose 0" in said
    assert "m-2: 60 -> 120 (+60)" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "issued 110 220 +110 100.0 %" in lines
    assert "member silver 1" in lines
    assert give.json("member", "m-2")["wallets"]["points"]["available"] == 60


def test_who_gains_and_loses_is_counted_in_good_english(give: Giving) -> None:
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00")
    double = give.file("double.yaml", PROGRAM.replace("points: 1, per", "points: 2, per"))
    assert "1 member gains 50, 0 lose 0, 1 keeps what they have" in give.says("simulate", double, "--stored", "--diff")


def test_files_are_simulated_without_a_database(give: Giving) -> None:
    program = give.file("program.yaml", PROGRAM)
    enrol = '{"id":"e","type":"enrol","member":"m-1","occurred_at":"2026-01-01T00:00:00Z"}\n'
    members = give.file("members.ndjson", enrol)
    activities = give.file(
        "more.ndjson",
        '{"id":"r-1","type":"purchase","member":"m-1","occurred_at":"2026-03-01T00:00:00Z",'
        '"data":{"order":"o-1","lines":[{"line":"1","amount":"30.00"}]}}\nnot json\n',
    )
    result = give.json("simulate", program, "--activities", members, "--activities", activities, code=1)
    assert result["simulated"]["wallets"]["points"]["issued"] == 30
    assert result["simulated"]["invalid"] == {"malformed": 1}
    assert result["difference"] is None
    assert [(file["accepted"], file["faulty"], file["bad"]) for file in result["files"]] == [(1, 0, 0), (1, 1, 1)]


def test_rows_that_an_import_would_not_take_in_are_reported_as_an_import_reports_them(give: Giving) -> None:
    rows = (
        '{"id":"e","type":"enrol","member":"m-1","occurred_at":"2026-01-01T00:00:00Z"}\n'
        '{"id":"r-1","type":"check_in","member":"m-1","occurred_at":"2026-01-02T00:00:00Z","data":{"subject":"a"}}\n'
        '{"id":"r-1","type":"check_in","member":"m-1","occurred_at":"2026-01-02T00:00:00Z","data":{"subject":"a"}}\n'
        '{"id":"r-1","type":"check_in","member":"m-1","occurred_at":"2026-01-03T00:00:00Z"}\n'
        '{"id":"r-2","type":"check_in","member":"m\\u00001","occurred_at":"2026-01-03T00:00:00Z"}\n'
        '{"id":"r-3","type":"chek_in","member":"m-1","occurred_at":"2026-01-03T00:00:00Z"}\n'
        '{"id":"r-4","type":"check_in","identifier":{"kind":"phone","value":"1"},"occurred_at":"2026-01-03T00:00:00Z"}\n'
        "not json\n"
    )
    give.publish()
    file = give.file("rows.ndjson", rows)
    give.json("import", file, code=1)
    simulated = give.json("simulate", "program.yaml", "--activities", file, code=1)
    (told,) = simulated["files"]
    assert (told["accepted"], told["replayed"], told["bad"]) == (2, 1, 5)
    assert told["report"] == "rows.ndjson.simulated.report.ndjson"

    def entries(name: str) -> list[dict[str, object]]:
        found = [msgspec.json.decode(line) for line in (give.directory / name).read_text().splitlines()]
        # Why an identifier is not known is said more fully.
        return [{**each, "message": each["message"].partition(" Identifiers")[0]} for each in found]

    assert entries(told["report"]) == entries("rows.ndjson.report.ndjson")
    assert [each["line"] for each in entries(told["report"])] == [4, 5, 6, 7, 8]
    said = give.says("simulate", "program.yaml", "--activities", file, code=1)
    assert "1 refused: activity_conflict" in said
    assert "1 were in already" in said
    assert "rows.ndjson.simulated.report.ndjson" in said
    own = give.json("simulate", "program.yaml", "--activities", file, "--report", "own.ndjson", code=1)
    assert own["files"][0]["report"] == "own.ndjson"
    assert run("simulate", "program.yaml", "--stored", "--report", "own.ndjson").exit_code == 2


def test_it_must_be_said_which_activities(give: Giving) -> None:
    program = give.file("program.yaml", PROGRAM)
    assert run("simulate", program).exit_code == 2
    assert run("simulate", program, "--stored", "--activities", program).exit_code == 2


def test_a_document_with_errors_is_not_simulated(give: Giving) -> None:
    wrong = give.file("wrong.yaml", PROGRAM.replace("UTC", "Mars"))
    assert not give.json("simulate", wrong, "--stored", code=1)["valid"]


PROMOTED = (
    PROGRAM
    + """\
promotions:
  tenth: {name: {en: A tenth off}, gives: {percent: 10%}, limits: [{budget: money, of: "500.00", over: trim}]}
rewards:
  mug: {name: {en: A mug}, gives: goods, price: {wallet: points, points: 50}, stock: 9}
"""
)


def test_what_promotions_give_stands_beside_what_they_gave_and_what_is_not_known_is_said(give: Giving) -> None:
    give.publish(PROMOTED)
    give.members("m-1")
    line = '{"line":"1","amount":"90.00","discounts":[{"code":"tenth","amount":"10.00"}]}'
    rows = "".join(
        f'{{"id":"{n}","type":"{type}","member":"m-1","occurred_at":"2026-03-0{n}T00:00:00Z","data":{data}}}\n'
        for n, type, data in (
            (1, "purchase", f'{{"order":"o-1","lines":[{line}]}}'),
            # A till that took nothing off, though the program would have.
            (2, "purchase", '{"order":"o-2","lines":[{"line":"1","amount":"20.00"}]}'),
            (3, "redemption", '{"redemption":"r-1","reward":"mug"}'),
        )
    )
    give.json("import", give.file("rows.ndjson", rows))
    fifth = give.file("fifth.yaml", PROMOTED.replace("tenth: {name", "fifth: {was: tenth, name").replace("10%", "20%"))
    result = give.json("simulate", fifth, "--stored", "--diff")
    assert result["difference"]["stored"]["given"]["promotions"] == {
        "fifth": {
            "times": 2, "money": "12.00", "taken": "10.00", "returned": "0.00",
            "budgets": [{"unit": "money", "of": "500.00", "used": "10.00"}],
        }
    }  # fmt: skip
    given = result["simulated"]["given"]
    assert given["promotions"] == {
        "fifth": {
            "times": 2, "money": "24.00", "taken": "24.00", "returned": "0.00",
            "budgets": [{"unit": "money", "of": "500.00", "used": "24.00"}],
        }
    }  # fmt: skip
    assert (given["rewards"]["mug"]["pieces"], given["rewards"]["mug"]["points"]) == (1, 50)
    assert given["rewards"]["mug"]["budgets"] == [{"unit": "stock", "of": 9, "used": 1}]
    # 80.00 and 16.00 earn 96 points, 50 of them are held for the mug.
    points = result["simulated"]["wallets"]["points"]
    assert (points["available"], points["held"]) == (46, 50)
    assert set(result["not_known"]) == {"en", "zh-CN"}
    said = [" ".join(line.split()) for line in give.says("simulate", fifth, "--stored", "--diff").splitlines()]
    assert "A tenth off stored 2 12.00 10.00 0.00 10.00 of 500.00" in said
    assert "simulated 2 24.00 24.00 0.00 24.00 of 500.00" in said
    assert "A mug stored 1 1 50 0.00 0 1 of 9" in said
    assert any(line.startswith("Every order of the past is priced as this program prices it") for line in said)
    alone = [" ".join(line.split()) for line in give.says("simulate", fifth, "--stored").splitlines()]
    assert "A tenth off 2 24.00 0.00 24.00 of 500.00" in alone


def test_the_same_program_gives_what_is_stored_where_tills_hold_to_it(give: Giving) -> None:
    give.publish(PROMOTED)
    give.members("m-1")
    line = '{"line":"1","amount":"90.00","quantity":"2","discounts":[{"code":"tenth","amount":"10.00"}]}'
    rows = "".join(
        f'{{"id":"{n}","type":"{type}","member":"m-1","occurred_at":"2026-03-0{n}T00:00:00Z","data":{data}}}\n'
        for n, type, data in (
            (1, "purchase", f'{{"order":"o-1","lines":[{line}]}}'),
            (2, "return", '{"order":"o-1","lines":[{"line":"1","quantity":"1","amount":"45.00"}]}'),
        )
    )
    give.json("import", give.file("rows.ndjson", rows))
    result = give.json("simulate", "program.yaml", "--stored", "--diff")
    assert result["simulated"] == result["difference"]["stored"]
    assert result["simulated"]["given"]["promotions"]["tenth"]["returned"] == "5.00"


DRAWN = (
    PROGRAM.replace("currency: CNY\n", "currency: CNY\njurisdiction: none\n")
    + """\
  chance: {on: purchase, grant: {tickets: spring, per: "10.00"}}
  turns: {on: purchase, grant: {tickets: wheel}}
draws:
  spring:
    name: {en: Spring draw}
    opens: 2026-03-01
    closes: 2026-03-31
    draws_at: 2026-05-02
    prizes:
      bicycle: {quantity: 1}
      gift: {quantity: 3, gives: {wallet: points, points: 500}}
  wheel:
    name: {en: The wheel}
    kind: instant
    opens: 2026-03-01
    closes: 2026-03-31
    prizes: {point: {odds: 1/1, gives: {wallet: points, points: 1}}}
"""
)


def test_draws_are_drawn_with_a_seed_that_is_said_and_what_is_drawn_later_is_said(give: Giving) -> None:
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00", "o-2,m-2,2026-03-02,65.00", "o-3,m-2,2026-04-30,1.00")
    drawn = give.file("drawn.yaml", DRAWN)
    early = give.json("simulate", drawn, "--stored")
    to_come = [{"draw": "spring", "draws_at": "2026-05-02T00:00:00+00:00"}]
    assert early["draws"] == {"seed": "1", "as_then": [], "to_come": to_come}
    assert early["simulated"]["given"]["draws"]["spring"]["entered"] == 11
    assert early["simulated"]["given"]["draws"]["spring"]["prizes"] == {}
    late = ("simulate", drawn, "--stored", "--until", "2026-05-02T00:00:00Z")
    result = give.json(*late, "--play", "wheel", "--diff")
    assert (result["as_of"], result["draws"]["to_come"]) == ("2026-05-02T00:00:00+00:00", [])
    # Five tickets and six, four places, one win each; a turn for every purchase while the wheel is open.
    assert result["simulated"]["given"]["draws"] == {
        "spring": {
            "tickets": 11, "void": 0, "entered": 11, "played": 0, "winners": 2, "prizes": {"bicycle": 1, "gift": 1},
            "forfeited": 0, "points": {"points": 500}, "budgets": [],
        },
        "wheel": {
            "tickets": 2, "void": 0, "entered": 0, "played": 2, "winners": 2, "prizes": {"point": 2},
            "forfeited": 0, "points": {"points": 2}, "budgets": [],
        },
    }  # fmt: skip
    assert result["difference"]["stored"]["given"]["draws"] == {}
    said = [" ".join(line.split()) for line in give.says(*late, "--play", "wheel").splitlines()]
    assert "Spring draw 11 0 11 0 2 500 points 1 of 1 bicycle, 1 of 3 gift" in said
    assert "The wheel 2 0 0 2 2 2 points 2 point" in said
    assert "Draws are drawn with the seed '1' (--seed gives another)." in said
    assert "spring is not drawn yet: that is on 2026-05-02T00:00:00+00:00 (--until goes on so far)." in give.says(
        "simulate", drawn, "--stored"
    )
    winners = set()
    for seed in ("1", "2", "3", "4", "5", "6"):
        points = give.json(*late, "--diff", "--seed", seed)["difference"]["wallets"]["points"]
        winners.add(points["movers"][0]["member"])
    assert winners == {"m-1", "m-2"}
    assert "wheel" in run("simulate", drawn, "--stored", "--play", "spring").stderr
    assert run("simulate", "program.yaml", "--stored", "--play", "wheel").exit_code == 2
    assert give.json("simulate", "program.yaml", "--stored")["draws"] is None
