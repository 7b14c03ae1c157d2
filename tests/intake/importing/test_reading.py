"""Files become rows; a row that cannot be read says why and the next one goes on."""

from pathlib import Path
from typing import Any

import pytest

from laurels.intake.importing.mapping import Csv
from laurels.intake.importing.reading import FileFormat, Table, UnreadableFile, format_of, open_table


def opened(
    path: Path, text: str | bytes, *wanted: str, format: FileFormat = "csv", options: Csv | None = None
) -> Table:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_table(path, format, options=options or Csv(), wanted=wanted)


def rows(table: Table) -> list[tuple[int, Any]]:
    return [(row.line, row.fault or list(row.cells)) for row in table.rows()]


def test_csv_rows_carry_the_line_they_begin_on(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", '\ufeffa,b\n1,2\n\n"3\n4",5\n6,7\n', "a", "b")
    assert table.columns == ("a", "b")
    assert rows(table) == [(2, ["1", "2"]), (4, ["3\n4", "5"]), (6, ["6", "7"])]
    assert table.done == table.total == (tmp_path / "a.csv").stat().st_size


def test_csv_rows_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    text = b'a,b\n1\n1,2,3\n\xff,2\n"x"y,2\n5,6\n'
    found = rows(opened(tmp_path / "a.csv", text, "a"))
    assert [line for line, _ in found] == [2, 3, 4, 5, 6]
    assert "1 cells" in found[0][1]
    assert "3 cells" in found[1][1]
    assert found[2][1] == "not text in utf-8"
    assert "expected after" in found[3][1]
    assert found[4][1] == ["5", "6"]


def test_csv_of_other_delimiters_and_encodings(tmp_path: Path) -> None:
    text = "会员;金额\n张三;5,00\n".encode("gb18030")
    table = opened(tmp_path / "a.csv", text, "会员", options=Csv(delimiter=";", encoding="gb18030"))
    assert rows(table) == [(2, ["张三", "5,00"])]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "names the columns"), ("a,a\n", "two columns are called a"), ("b\n1\n", "no column a; it has b")],
)
def test_a_csv_file_without_the_columns_is_refused_as_a_whole(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        opened(tmp_path / "a.csv", text, "a")


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no encoding klingon"):
        opened(tmp_path / "a.csv", "a\n", "a", options=Csv(encoding="klingon"))


def test_ndjson_rows_are_the_wanted_values_nested_ones_too(tmp_path: Path) -> None:
    text = '{"a": 1, "b": {"c": "x"}}\n\n{"a": 2}\nnot json\n{"a": 3, "b.c": "y"}\n'
    found = rows(opened(tmp_path / "a.ndjson", text, "a", "b.c", format="ndjson"))
    assert found[0] == (1, [1, "x"])
    assert found[1] == (3, [2, None])
    assert found[2][0] == 4
    assert "malformed" in found[2][1]
    assert found[3] == (5, [3, "y"])


def test_parquet_rows_keep_their_types_and_only_wanted_columns_are_read(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "a.parquet"
    polars.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]}).write_parquet(path)
    table = open_table(path, "parquet", options=Csv(), wanted=("c", "b"))
    assert rows(table) == [(1, [0.5, "x"]), (2, [1.5, None])]
    assert (table.done, table.total) == (2, 2)
    with pytest.raises(UnreadableFile, match="no column d; it has a, b, c"):
        open_table(path, "parquet", options=Csv(), wanted=("d",))


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    with pytest.raises(UnreadableFile):
        opened(tmp_path / "a.parquet", "a,b\n", "a", format="parquet")


def test_the_name_of_a_file_says_its_format() -> None:
    names = ("a.csv", "a.TSV", "a.jsonl", "a.ndjson", "a.parquet")
    assert [format_of(Path(name)) for name in names] == ["csv", "csv", "ndjson", "ndjson", "parquet"]
    with pytest.raises(UnreadableFile, match="--format"):
        format_of(Path("a.xlsx"))


def test_a_table_needs_a_mapping_and_activities_in_json_do_not(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n")
    with pytest.raises(UnreadableFile, match="--mapping"):
        open_table(path, "csv", options=Csv(), wanted=None)
    path.write_text('{"id": 1}\n \n{"id": 2}\n')
    assert rows(open_table(path, "ndjson", options=Csv(), wanted=None)) == [(1, [b'{"id": 1}']), (3, [b'{"id": 2}'])]
