"""simulate: stored activities or files under any program, with the difference to what is stored."""

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


def test_files_are_simulated_without_a_database(give: Giving) -> None:
    program = give.file("program.yaml", PROGRAM)
    enrol = '{"id":"e","type":"enrol","member":"m-1","occurred_at":"2026-01-01T00:00:00Z"}\n'
    members = give.file("members.ndjson", enrol)
    activities = give.file(
        "more.ndjson",
        '{"id":"r-1","type":"purchase","member":"m-1","occurred_at":"2026-03-01T00:00:00Z",'
        '"data":{"order":"o-1","lines":[{"line":"1","amount":"30.00"}]}}\nnot json\n',
    )
    result = give.json("simulate", program, "--activities", members, "--activities", activities)
    assert result["simulated"]["wallets"]["points"]["issued"] == 30
    assert result["simulated"]["invalid"] == {"malformed": 1}
    assert result["difference"] is None


def test_it_must_be_said_which_activities(give: Giving) -> None:
    program = give.file("program.yaml", PROGRAM)
    assert run("simulate", program).exit_code == 2
    assert run("simulate", program, "--stored", "--activities", program).exit_code == 2


def test_a_document_with_errors_is_not_simulated(give: Giving) -> None:
    wrong = give.file("wrong.yaml", PROGRAM.replace("UTC", "Mars"))
    assert not give.json("simulate", wrong, "--stored", code=1)["valid"]
