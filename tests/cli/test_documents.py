"""check, plan and publish: from a document to a version in effect."""

import pytest

from tests.cli.giving import PROGRAM, Giving, run

WRONG = PROGRAM.replace("time_zone: UTC", "time_zone: Mars/Olympus").replace(
    "on: purchase, grant", "onn: purchase, grant"
)


def test_check_shows_every_finding_with_line_column_caret_code_and_hint(give: Giving) -> None:
    said = give.says("check", give.file("wrong.yaml", WRONG), code=1)
    assert "wrong.yaml:2:12: error [bad_zone]" in said
    lines = said.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("    2 | time_zone: Mars/Olympus"))
    # The caret stands under the value's first character.
    assert lines[place + 1].index("^") == lines[place].index("Mars")
    assert "hint: write a zone such as Asia/Shanghai" in lines[place + 2]
    assert '"onn"' in said
    assert "not a program yet, 3 errors" in said or "not a program yet, 2 errors" in said


def test_check_counts_wide_characters_as_terminals_do(give: Giving) -> None:
    document = PROGRAM.replace("id: silver,", "id: silver, name: {zh-CN: 银卡}, nmae: x,")
    lines = give.says("check", give.file("wrong.yaml", document), code=1).splitlines()
    place = next(n for n, line in enumerate(lines) if "银卡" in line and " | " in line)
    caret = lines[place + 1].index("^")
    # Two of the characters before it take two columns each.
    assert caret == lines[place].index("nmae") + 2


def test_check_as_json_has_the_findings_and_the_exit_code_says_whether_it_is_a_program(give: Giving) -> None:
    found = give.json("check", give.file("wrong.yaml", WRONG), code=1)
    assert not found["valid"]
    first = found["findings"][0]
    assert (first["code"], first["line"], first["column"], first["severity"]) == ("bad_zone", 2, 12, "error")
    assert give.json("check", give.file("right.yaml", PROGRAM)) == {
        "file": str(give.directory / "right.yaml"),
        "valid": True,
        "findings": [],
    }


def test_publish_makes_the_program_in_a_mode_and_its_first_version(give: Giving) -> None:
    published = give.publish(PROGRAM, "--mode", "sandbox")
    assert published["published"]["version"] == 1
    assert published["against"] is None
    assert give.json("clock") == {"program": "cafe", "mode": "sandbox", "now": None}


def test_a_document_with_errors_is_not_published(give: Giving) -> None:
    assert not give.json("publish", give.file("wrong.yaml", WRONG), code=1)["valid"]
    assert "There is no program yet" in give.fails("clock", code=1)


def test_what_takes_something_from_members_is_said_first_and_published_only_when_accepted(give: Giving) -> None:
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00")
    shorter = give.file("shorter.yaml", PROGRAM.replace("after: 12M", "after: 6M"))
    said = give.says("plan", shorter, code=1)
    assert "Takes something from members" in said
    assert "(1 member with points or debt in the wallet: m-1)" in said
    refused = give.json("publish", shorter, code=1)
    assert refused["published"] is None
    assert [change["members"] for change in refused["changes"]] == [1]
    assert give.json("publish", shorter, "--accept-losses")["published"]["version"] == 2
    assert give.says("plan", shorter).strip() == "Nothing changes against version 2."


def test_a_version_can_take_effect_later(give: Giving) -> None:
    give.publish()
    longer = give.file("longer.yaml", PROGRAM.replace("after: 12M", "after: 24M"))
    published = give.json("publish", longer, "--effective-at", "2027-01-01T00:00:00Z")
    assert published["published"]["effective_at"] == "2027-01-01T00:00:00+00:00"


def test_instants_are_shown_in_the_programs_zone_with_its_offset(give: Giving) -> None:
    shanghai = PROGRAM.replace("time_zone: UTC", "time_zone: Asia/Shanghai")
    give.publish(shanghai)
    assert give.json("clock", "--to", "2026-01-01T00:00:00Z")["now"] == "2026-01-01T08:00:00+08:00"
    assert give.says("clock").strip() == "cafe (setup): 2026-01-01T08:00:00+08:00"
    moved = give.json("clock", "--to", "2026-01-02T00:00:00Z")
    assert (moved["before"], moved["now"]) == ("2026-01-01T08:00:00+08:00", "2026-01-02T08:00:00+08:00")
    longer = give.file("longer.yaml", shanghai.replace("after: 12M", "after: 24M"))
    said = give.says("publish", longer, "--effective-at", "2027-01-01T00:00:00Z")
    assert "in effect from 2027-01-01T08:00:00+08:00" in said


def test_plan_says_exactly_whom_it_counts(give: Giving) -> None:
    give.publish()
    give.members(*(f"m-{n}" for n in range(10)))
    # m-0 to m-6 are on the way to silver, m-7 and m-8 hold it, m-9 has bought nothing.
    rows = [f"o-{n},m-{n},2026-03-01,{50 + n}.00" for n in range(7)]
    give.shop(*rows, "o-7,m-7,2026-03-01,120.00", "o-8,m-8,2026-03-01,300.00")
    higher = give.file("higher.yaml", PROGRAM.replace('enter: "100.00"', 'enter: "200.00"'))
    said = give.says("plan", higher, code=1)
    assert (
        "(7 members below it on the way; who holds it is asked for what it takes to keep it: "
        "m-0, m-1, m-2, m-3, m-4 and 2 more)"
    ) in said
    assert (
        "(1 member of those who hold it reach the old threshold now, not the new one: it would not be kept: m-7)"
    ) in said
    # Where it takes as much as before to keep it, nobody who holds it is concerned.
    enter = give.file("enter.yaml", PROGRAM.replace('enter: "100.00"', 'enter: "200.00", keep: "100.00"'))
    changes = give.json("plan", enter, code=1)["changes"]
    assert [(each["change"]["path"], each["members"]) for each in changes] == [("/tracks/membership/tiers/1/enter", 7)]


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("check", "nowhere.yaml"), ("publish", "x", "--mode", "y"), ("nonsense",), ("clock", "--to", "soon")],
)
def test_wrong_usage_ends_with_exit_code_2(give: Giving, arguments: tuple[str, ...]) -> None:
    give.file("x", "")
    assert run(*arguments).exit_code == 2


def test_an_unreachable_database_ends_with_exit_code_3(give: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAURELS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert give.fails("clock", code=3)
    assert give.json("clock", code=3)["exit_code"] == 3


def test_wrong_settings_end_with_exit_code_2(give: Giving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAURELS_PORT", "many")
    assert "LAURELS_PORT" in give.fails("clock", code=2)
