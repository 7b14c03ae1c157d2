"""vouchers: codes made, imported and written out, and what people are told when that cannot be."""

from __future__ import annotations

import csv

import pytest

from laurels.core.code import is_made
from tests.cli.giving import PROGRAM, Giving, run

VOUCHERS = PROGRAM + 'vouchers:\n  ten: {gives: {off: "10.00"}}\n  hello: {gives: {percent: 10%}, code: HELLO10}\n'


def publish(give: Giving) -> None:
    give.says("publish", give.file("program.yaml", VOUCHERS))


def test_a_batch_is_made_once_and_written_out(give: Giving) -> None:
    publish(give)
    words = ("vouchers", "generate", "--batch", "spring", "--voucher", "ten", "--count", "120")
    made = give.json(*words)
    assert (made["in_batch"], made["made"], made["finished"]) == (120, 120, True)
    assert give.json(*words)["made"] == 0
    written = give.json("vouchers", "export", "--batch", "spring", "--to", "codes.csv")
    head, *lines = (give.directory / "codes.csv").read_text().splitlines()
    assert (written["codes"], head) == (120, "code,taken")
    codes = {line.removesuffix(",0").replace("-", "") for line in lines}
    assert len(codes) == 120
    assert all(map(is_made, codes))


def test_a_list_goes_in_and_what_is_no_code_or_in_already_is_counted(give: Giving) -> None:
    publish(give)
    rows = give.file("list.txt", "SAVE-1\nsave1\n\nSAVE2\n")
    taken = give.json("vouchers", "import", rows, "--batch", "a", "--voucher", "ten", "--uses", "0", code=1)
    assert (taken["codes"], taken["repeated"], taken["unreadable"], taken["uses"]) == (2, 1, 1, None)
    assert "Everything is as it must be" in give.says("verify")


def test_a_code_of_a_list_that_the_program_shares_with_everybody_is_left_out_and_named(give: Giving) -> None:
    publish(give)
    rows = give.file("list.txt", "SAVE1\nhello-10\nHELLO10\n")
    words = ("vouchers", "import", rows, "--batch", "a", "--voucher", "ten")
    taken = give.json(*words, code=1)
    assert (taken["codes"], taken["repeated"], taken["unreadable"], taken["shared"]) == (1, 0, 0, 2)
    assert (taken["in_batch"], taken["shared_codes"]) == (1, ["HELLO10"])
    said = give.says("vouchers", "import", rows, "--batch", "b", "--voucher", "ten", code=1)
    assert "(codes 0, unreadable 0, repeated 1, shared 2)" in said
    assert "HELLO10 was left out: the program shares it with everybody" in " ".join(said.split())


def test_a_version_that_shares_a_code_of_a_batch_is_warned_of(give: Giving) -> None:
    publish(give)
    rows = give.file("list.txt", "SAVE1\nSAVE2\n")
    give.json("vouchers", "import", rows, "--batch", "a", "--voucher", "ten")
    path = give.file("next.yaml", VOUCHERS + "  save: {gives: {percent: 5%}, code: [save-1, SAVE3]}\n")
    (warning,) = give.json("plan", path)["findings"]
    assert (warning["code"], warning["severity"]) == ("code_in_batch", "warning")
    said = " ".join(give.says("plan", path).split())
    assert '[code_in_batch] "SAVE1" is in a batch of codes already' in said
    # Of a batch that nobody can use any more nothing is lost.
    give.says("vouchers", "revoke", "--batch", "a", "--reason", "leaked")
    assert give.json("plan", path)["findings"] == []
    other = give.file("list2.txt", "SAVE3\n")
    give.json("vouchers", "import", other, "--batch", "c", "--voucher", "ten")
    assert [each["code"] for each in give.json("publish", path)["findings"]] == ["code_in_batch"]
    # From then on it is the program's, and said no more.
    assert give.json("plan", path)["findings"] == []


def test_people_are_told_what_there_is(give: Giving) -> None:
    publish(give)
    words = ("vouchers", "generate", "--batch", "b", "--count", "5")
    assert "There are: ten" in give.fails(*words, "--voucher", "hello", code=2)
    assert "There are: ten" in give.fails(*words, "--voucher", "none", code=2)
    give.says(*words, "--voucher", "ten")
    other = ("vouchers", "generate", "--batch", "b", "--count", "6", "--voucher", "ten")
    assert "choose another name" in give.fails(*other, code=2)
    assert "no batch none" in give.fails("vouchers", "export", "--batch", "none", "--to", "x.csv", code=2)
    assert "no batch none" in give.fails("vouchers", "revoke", "--batch", "none", "--reason", "leaked", code=2)


def test_another_list_under_the_same_name_is_refused_and_the_same_one_changes_nothing(give: Giving) -> None:
    publish(give)
    words = ("--batch", "a", "--voucher", "ten")
    first, second = give.file("first.txt", "SAVE1\nSAVE2\n"), give.file("second.txt", "SAVE3\nSAVE4\nSAVE5\n")
    assert give.json("vouchers", "import", first, *words)["codes"] == 2
    assert give.json("vouchers", "import", first, *words)["codes"] == 0
    assert "choose another name" in give.fails("vouchers", "import", second, *words, code=2)
    assert give.json("vouchers", "import", second, "--batch", "b", "--voucher", "ten")["codes"] == 3


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("code,taken\r\nSAVE-1,0\r\nSAVE-2,3\r\n", ["SAVE1", "SAVE2"]),
        ("\ufeffSAVE1\nSAVE2\n", ["SAVE1", "SAVE2"]),
        ('"code"\n"SAVE-1"\n"SAVE-2",7\n', ["SAVE1", "SAVE2"]),
        ('"SAVE1\nSAVE2\n', ["SAVE1", "SAVE2"]),
        ("\ufeffCODE\nSAVE1\ncode\n", ["CODE", "SAVE1"]),
    ],
)
@pytest.mark.parametrize("from_file", [True, False])
def test_of_each_line_the_first_field_is_the_code(
    give: Giving, text: str, codes: list[str], *, from_file: bool
) -> None:
    publish(give)
    file = give.file("list.csv", text)
    words = ("vouchers", "import", file if from_file else "-", "--batch", "a", "--voucher", "ten")
    result = run(*words, input=None if from_file else file.read_bytes())
    assert result.exit_code == 0, result.output
    give.json("vouchers", "export", "--batch", "a", "--to", "codes.csv")
    _head, *lines = (give.directory / "codes.csv").read_text().splitlines()
    assert [line.removesuffix(",0") for line in lines] == codes


def test_no_code_becomes_a_formula_or_a_cell_more_in_what_is_written_out(give: Giving) -> None:
    """Lists come from anywhere, and what is written out is opened in spreadsheets."""
    publish(give)
    rows = ["=1+1", "+123", "@SUM(A1)", "=CMD|' C'!A0", "SAVE,1", 'SA"VE', "SAVE1", "＝234"]
    text = "".join(f'"{row.replace(chr(34), chr(34) * 2)}"\n' for row in rows)
    give.says("vouchers", "import", give.file("list.csv", text), "--batch", "a", "--voucher", "ten")
    give.json("vouchers", "export", "--batch", "a", "--to", "codes.csv")
    with (give.directory / "codes.csv").open(encoding="utf-8", newline="") as file:
        _head, *cells = csv.reader(file)
    assert {len(row) for row in cells} == {2}
    assert not [row for row in cells if row[0][0] in "=+-@"]
    assert "'=1+1" in {row[0] for row in cells}
    # Taken in again they are the codes that they were.
    known = give.json("vouchers", "import", "codes.csv", "--batch", "b", "--voucher", "ten", code=1)
    assert (known["codes"], known["repeated"], known["unreadable"]) == (0, len(cells), 0)


def test_a_line_that_is_no_text_is_no_code_and_the_others_go_in(give: Giving) -> None:
    publish(give)
    file = give.directory / "list.txt"
    file.write_bytes(b"SAVE1\nSAV\xc9\nSAVE2\n")
    taken = give.json("vouchers", "import", file, "--batch", "a", "--voucher", "ten", code=1)
    assert (taken["codes"], taken["unreadable"]) == (2, 1)


def test_a_batch_is_revoked_once_with_its_reason_and_that_is_proven(give: Giving) -> None:
    publish(give)
    give.says("vouchers", "import", give.file("list.txt", "SAVE-1\n"), "--batch", "a", "--voucher", "ten")
    done = give.json("vouchers", "revoke", "--batch", "a", "--reason", "the list leaked")
    assert (done["reason"], done["source"]) == ("the list leaked", "command line")
    assert "the list leaked" in give.says("vouchers", "revoke", "--batch", "a", "--reason", "another")
    assert "Everything is as it must be" in give.says("verify")
