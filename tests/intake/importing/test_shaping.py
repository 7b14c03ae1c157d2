"""A mapping says how rows become activities; what cannot become one says why, with its line."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from laurels.core.calendar import parse_instant
from laurels.intake.importing.mapping import WrongMapping, read_mapping
from laurels.intake.importing.shaping import Read, Shaped, Shaper, shape_activities
from laurels.store.people import Identifier

RECEIPTS = """
type: purchase
id: receipt
member: card
occurred_at: time
zone: America/New_York
group_by: receipt
data: {order: receipt, currency: {constant: USD}, store: shop}
lines:
  sku: product
  quantity: {column: quantity, default: "1"}
  amount: {column: paid, decimals: 2}
  tags: {column: tags, split: "|"}
  discounts: [{code: {constant: card}, amount: {column: saved, decimals: 2}}]
leave_out: {status: [void]}
"""
COLUMNS = ("receipt", "card", "time", "shop", "product", "quantity", "paid", "tags", "saved", "status")


def read(*rows: Sequence[Any], first_line: int = 2) -> Iterator[Read]:
    for n, cells in enumerate(rows, first_line):
        yield Read(n, cells)


def row(receipt: str, product: str, paid: Any, **other: Any) -> tuple[Any, ...]:
    cells = {"receipt": receipt, "card": "m-1", "time": "2026-03-01 10:00:00", "shop": "7", "product": product}
    cells |= {"quantity": "", "paid": paid, "tags": "", "saved": "", "status": "ok", **other}
    return tuple(cells[column] for column in COLUMNS)


def shaped(*rows: Sequence[Any] | Read, mapping: str = RECEIPTS, columns: Sequence[str] = COLUMNS) -> list[Shaped]:
    given = [each if isinstance(each, Read) else Read(n, each) for n, each in enumerate(rows, 2)]
    return list(Shaper(read_mapping(mapping), columns, "tills").shape(given))


def one(mapping: str, columns: Sequence[str], *cells: Any) -> Shaped:
    (only,) = shaped(cells, mapping=mapping, columns=columns)
    return only


def data_of(found: Shaped) -> Any:
    assert found.submission is not None, found.faults
    return msgspec.json.decode(found.submission.data)


def test_rows_of_one_receipt_become_the_lines_of_one_purchase() -> None:
    first, second = shaped(
        row("r-1", "A", "1.50", quantity="2", tags="new| sale"),
        row("r-1", "B", 2.5, saved=0.25),
        row("r-2", "C", "3.00"),
    )
    assert first.submission is not None
    assert (first.submission.source, first.submission.id, first.submission.type) == ("tills", "r-1", "purchase")
    assert (first.submission.member, first.rows, first.lines) == ("m-1", 2, (2, 3))
    # 10:00 in New York on 1 March is 15:00 UTC.
    assert first.submission.occurred_at == parse_instant("2026-03-01T15:00:00Z")
    assert data_of(first) == {
        "order": "r-1",
        "currency": "USD",
        "store": "7",
        "lines": [
            {"line": "1", "sku": "A", "quantity": "2", "amount": "1.50", "tags": ["new", "sale"]},
            {
                "line": "2",
                "sku": "B",
                "quantity": "1",
                "amount": "2.50",
                "discounts": [{"code": "card", "amount": "0.25"}],
            },
        ],
    }
    assert (second.rows, data_of(second)["lines"][0]["line"]) == (1, "1")


def test_rows_left_out_are_counted_and_interrupt_nothing() -> None:
    found = shaped(
        row("r-1", "A", "1.00"), row("r-1", "B", "9.00", status="void"), row("r-1", "C", "2.00"),
        row("r-2", "D", "1.00", status="void"),
    )  # fmt: skip
    (only,) = found
    assert [line["sku"] for line in data_of(only)["lines"]] == ["A", "C"]
    assert (only.rows, only.left_out, only.lines) == (4, 2, (2, 4))


def test_an_activity_with_one_bad_row_is_left_out_as_a_whole_and_every_bad_row_is_named() -> None:
    bad, good = shaped(
        row("r-1", "A", "1.00"), row("r-1", "B", "cheap"), row("r-1", "C", "free"), row("r-2", "D", "1.00")
    )
    assert bad.submission is None
    assert [(fault.line, fault.pointer) for fault in bad.faults] == [
        (3, "/data/lines/1/amount"),
        (4, "/data/lines/2/amount"),
    ]
    assert "'cheap' is not a number" in bad.faults[0].message
    assert good.submission is not None


def test_a_row_that_cannot_be_read_spoils_the_activities_on_both_of_its_sides_and_no_other() -> None:
    found = shaped(
        row("r-1", "A", "1.00"), row("r-2", "B", "1.00"), Read(4, (), "3 cells, where the first line names 10"),
        row("r-3", "C", "1.00"), row("r-4", "D", "1.00"),
    )  # fmt: skip
    assert [each.submission is not None for each in found] == [True, False, False, False, True]
    assert [each.faults[0].code for each in found[1:4]] == ["beside_unreadable", "unreadable", "beside_unreadable"]
    assert sum(each.rows for each in found) == 5


def test_an_activity_with_rows_on_both_sides_of_an_unreadable_one_is_reported_once() -> None:
    found = shaped(
        row("r-1", "A", "1.00"), row("r-2", "B", "1.00"), Read(4, (), "broken"), Read(5, (), "broken"),
        row("r-2", "B", "2.00"), row("r-3", "C", "1.00"), Read(8, (), "broken"), row("r-4", "D", "1.00"),
    )  # fmt: skip
    assert [each.submission is not None for each in found] == [True, False, False, False, False]
    said = [[(fault.line, fault.code) for fault in each.faults] for each in found]
    assert said == [
        [],
        [(3, "beside_unreadable"), (4, "unreadable"), (5, "unreadable")],
        [(7, "beside_unreadable")],
        [(8, "unreadable")],
        [(9, "beside_unreadable")],
    ]
    assert (found[1].id, found[1].lines) == ("r-2", (3, 4, 5, 6))
    assert [each.rows for each in found] == [1, 4, 1, 1, 1]


def test_rows_left_out_beside_unreadable_ones_are_counted_in_the_order_of_the_file() -> None:
    """An import that is taken up behind some of these begins at the row that follows them."""
    rows: list[Any] = [
        row("r-1", "A", "1.00"), Read(3, (), "broken"), row("r-9", "V", "1.00", status="void"),
        row("r-2", "B", "1.00"), row("r-2", "B", "1.00"),
    ]  # fmt: skip
    found = shaped(*rows)
    assert [(each.rows, each.left_out, len(each.faults)) for each in found] == [(1, 0, 1), (1, 0, 1), (3, 1, 1)]


def test_without_groups_a_row_that_cannot_be_read_spoils_nothing_else() -> None:
    mapping = "{type: check_in, id: id, member: card, occurred_at: {column: time, zone: UTC}}"
    found = shaped(
        ("1", "m", "2026-01-01"), Read(3, (), "broken"), ("2", "m", "2026-01-01"),
        mapping=mapping, columns=("id", "card", "time"),
    )  # fmt: skip
    assert [each.submission is not None for each in found] == [True, False, True]


@pytest.mark.parametrize(
    ("other", "code"), [({"receipt": ""}, "no_group"), ({"card": " "}, "missing"), ({"time": ""}, "missing")]
)
def test_an_empty_cell_where_a_value_must_be_is_a_fault(other: dict[str, str], code: str) -> None:
    (found,) = shaped(row(other.pop("receipt", "r-1"), "A", "1.00", **other))
    assert found.submission is None
    assert found.faults[0].code == code


INSTANTS = "{type: check_in, id: {constant: x}, member: {constant: m}, occurred_at: WHEN}"


@pytest.mark.parametrize(
    ("when", "cell", "expected"),
    [
        ("time", "2026-03-01T10:00:00+08:00", "2026-03-01T02:00:00Z"),
        ("{column: time, zone: Asia/Shanghai}", "2026-03-01 10:00", "2026-03-01T02:00:00Z"),
        ("{column: time, zone: Asia/Shanghai}", "2026-03-01", "2026-02-28T16:00:00Z"),
        ("{column: time, zone: UTC, format: '%d.%m.%Y %H:%M'}", "01.03.2026 10:00", "2026-03-01T10:00:00Z"),
        ("{column: time, format: epoch_s}", "1772359200", "2026-03-01T10:00:00Z"),
        ("{column: time, format: epoch_ms}", 1772359200123, "2026-03-01T10:00:00.123000Z"),
        # An hour that clocks show twice means the first.
        ("{column: time, zone: America/New_York}", "2017-11-05 01:30", "2017-11-05T05:30:00Z"),
    ],
)
def test_instants_are_read_in_the_zone_and_format_of_the_mapping(when: str, cell: Any, expected: str) -> None:
    found = one(INSTANTS.replace("WHEN", when), ("time",), cell)
    assert found.submission is not None, found.faults
    assert found.submission.occurred_at == parse_instant(expected)


@pytest.mark.parametrize(
    ("when", "cell", "said"),
    [
        ("time", "2026-03-01 10:00", "names no zone"),
        ("{column: time, zone: UTC}", "yesterday", "is not an instant"),
        ("{column: time, zone: UTC, format: '%d.%m.%Y'}", "2026-03-01", "as %d.%m.%Y says"),
        # In that night New York's clocks went from 02:00 to 03:00.
        ("{column: time, zone: America/New_York}", "2017-03-12 02:30", "does not exist in America/New_York"),
        ("{column: time, format: epoch_s}", "-1", "lies outside"),
    ],
)
def test_an_instant_that_cannot_be_is_a_fault(when: str, cell: Any, said: str) -> None:
    found = one(INSTANTS.replace("WHEN", when), ("time",), cell)
    assert found.submission is None
    assert said in found.faults[0].message
    assert found.faults[0].pointer == "/occurred_at"


@pytest.mark.parametrize(
    ("value", "cell", "expected"),
    [
        ("x", " a ", "a"),
        ("x", "", None),
        ("x", 7, 7),
        ("x", 0.1, "0.1"),
        ("{column: x, as: text}", 7, "7"),
        ("{column: x, as: integer}", "7", 7),
        ("{column: x, as: integer}", "7.0", 7),
        ("{column: x, as: boolean}", "Yes", True),
        ("{column: x, as: boolean}", "0", False),
        ("{column: x, default: none}", "", "none"),
        ("{column: x, values: {F: female, '-': null}}", "F", "female"),
        ("{column: x, values: {F: female, '-': null}}", "-", None),
        ("{column: x, values: {F: female}}", "X", "X"),
        ("{column: x, split: ';'}", "a;;b", ["a", "b"]),
        ("{column: x, decimal: ','}", "1.234,50", "1234.50"),
        # Half a cent is rounded away from zero; a binary number means the decimal nearest to it.
        ("{column: x, decimals: 2}", 1.005, "1.01"),
        ("{column: x, decimals: 2}", "-1.005", "-1.01"),
        ("{column: x, decimals: 2}", 1.7763568394002505e-15, "0.00"),
        ("{column: x, decimals: 2}", 1e22, "10000000000000000000000.00"),
        ("{constant: 5}", "ignored", 5),
        ("[x, {constant: b}]", "a", ["a", "b"]),
        ("{inner: {deep: x}}", "a", {"inner": {"deep": "a"}}),
        ("{inner: {deep: x}}", "", None),
    ],
)
def test_values_are_made_of_cells_as_the_mapping_says(value: str, cell: Any, expected: Any) -> None:
    mapping = (
        "{type: feedback, id: {constant: x}, member: {constant: m}, "
        f"occurred_at: {{constant: '2026-01-01T00:00:00Z'}}, data: {{field: {value}}}}}"
    )
    assert data_of(one(mapping, ("x",), cell)).get("field") == expected


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("{column: x, as: integer}", "7.5"),
        ("{column: x, as: integer}", "1_000"),
        ("{column: x, as: boolean}", "maybe"),
        ("{column: x, decimals: 2}", "NaN"),
        ("{column: x, decimals: 2}", "1e5"),
        ("{column: x, as: text}", [1]),
    ],
)
def test_a_cell_that_is_not_what_it_should_be_is_a_fault(value: str, cell: Any) -> None:
    mapping = (
        "{type: feedback, id: {constant: x}, member: {constant: m}, "
        f"occurred_at: {{constant: '2026-01-01T00:00:00Z'}}, data: {{field: {value}}}}}"
    )
    found = one(mapping, ("x",), cell)
    assert (found.submission, found.faults[0].pointer) == (None, "/data/field")


def test_points_are_numbers_and_rows_of_a_member_become_lots_of_an_opening_balance() -> None:
    mapping = """
    type: opening_balance
    id: member
    member: member
    occurred_at: {constant: "2026-01-01T00:00:00Z"}
    group_by: member
    data: {wallet: {constant: points}}
    lots: {points: points, earned_at: {column: earned, zone: UTC}, expires_at: {column: expires, zone: UTC}}
    """
    (found,) = shaped(
        ("m-1", "10", "2025-01-01", "2026-12-31"), ("m-1", "5", "2025-02-01", ""),
        mapping=mapping, columns=("member", "points", "earned", "expires"),
    )  # fmt: skip
    assert data_of(found) == {
        "wallet": "points",
        "lots": [
            {"points": 10, "earned_at": "2025-01-01T00:00:00Z", "expires_at": "2026-12-31T00:00:00Z"},
            {"points": 5, "earned_at": "2025-02-01T00:00:00Z"},
        ],
    }


def test_tenders_that_were_not_used_are_left_out() -> None:
    mapping = """
    type: purchase
    id: id
    member: {constant: m}
    occurred_at: {constant: "2026-01-01T00:00:00Z"}
    data:
      order: id
      tenders: [{kind: {constant: cash}, amount: cash}, {kind: {constant: gift_card}, amount: gift}]
    lines: {amount: paid}
    """
    found = one(mapping, ("id", "paid", "cash", "gift"), "1", "5.00", "5.00", "0.00")
    assert data_of(found)["tenders"] == [{"kind": "cash", "amount": "5.00"}]


def test_members_may_be_named_by_an_identifier() -> None:
    mapping = """
    {type: check_in, id: id, identifier: {kind: phone, value: tel},
     occurred_at: {constant: "2026-01-01T00:00:00Z"}}
    """
    found = one(mapping, ("id", "tel"), "1", "138 0000 0000")
    assert found.submission is not None
    assert (found.submission.member, found.identifier) == ("", Identifier("phone", "138 0000 0000"))


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("id: [", "not readable as YAML"),
        ("[]", "line 1, column 1: say these words: type, id"),
        ("{type: purchase, id: a, member: b}", "occurred_at"),
        (
            "{type: purchase, id: a, member: b, occurred_at: c, colour: d}",
            "line 1, column 52: colour: no such word; there are type",
        ),
        ("{type: purchase, id: a, occurred_at: c}", "name the column of the member's id"),
        ("{type: purchase, id: {colum: a}, member: b, occurred_at: c}", "colum"),
        ("{type: purchase, id: {column: a, constant: b}, member: b, occurred_at: c}", "either column or constant"),
        ("{type: purchase, id: a, member: b, occurred_at: {column: c, zone: Mars}}", "occurred_at.zone"),
        ("{type: purchase, id: a, member: b, occurred_at: c, zone: Mars}", "zone"),
        ("{type: purchase, id: a, member: b, occurred_at: c, group_by: a}", "group_by"),
        ("{type: purchase, id: a, member: b, occurred_at: c, lines: {}, lots: {}}", "one of them"),
        ("{type: purchase, id: a, member: b, occurred_at: c, lines: {}, data: {lines: x}}", "said twice"),
        ("{type: purchase, id: a, member: b, occurred_at: c, data: {x: {column: y, decimals: 9}}}", "data.x.decimals"),
        ("{type: purchase, id: a, member: b, occurred_at: c, csv: {delimiter: ab}}", "csv.delimiter"),
    ],
)
def test_a_mapping_that_cannot_be_understood_says_where(mapping: str, said: str) -> None:
    with pytest.raises(WrongMapping, match=said):
        read_mapping(mapping)


def test_all_mistakes_of_a_mapping_are_said_at_once_each_with_its_place() -> None:
    mapping = """\
type: check_in
id: {colum: a}
member: card
occurred_at: {column: t, zone: Mars, as: date}
csv: {delimitr: ";", delimiter: ab}
data: {subject: {column: x, decimals: 9}}
"""
    with pytest.raises(WrongMapping) as raised:
        read_mapping(mapping)
    assert [line.partition(": ")[0::2] for line in str(raised.value).splitlines()] == [
        ("line 2, column 6", "id.colum: no such word; did you mean column?"),
        (
            "line 4, column 26",
            "occurred_at.zone: 'Mars' is not a time zone; write an IANA name, as in Asia/Shanghai",
        ),
        ("line 4, column 38", "occurred_at.as: Invalid enum value 'date'"),
        ("line 5, column 7", "csv.delimitr: no such word; did you mean delimiter?"),
        ("line 5, column 22", "csv.delimiter: one character"),
        ("line 6, column 29", "data.subject.decimals: between 0 and 6"),
    ]


def test_a_mapping_names_its_columns_once() -> None:
    assert set(read_mapping(RECEIPTS).columns()) == set(COLUMNS)
    assert len(read_mapping(RECEIPTS).columns()) == len(COLUMNS)


def lines(*texts: str) -> list[Shaped]:
    return list(shape_activities((Read(n, (text.encode(),)) for n, text in enumerate(texts, 1)), "import"))


def test_activities_as_the_contract_writes_them_go_in_as_they_are() -> None:
    text = (
        '{"source":"pos","id":"r-1","type":"check_in","member":"m","occurred_at":"2026-03-01T10:00:00Z","data":{"a":1}}'
    )
    (found,) = lines(text)
    assert found.submission is not None
    assert (found.submission.source, found.submission.id, bytes(found.submission.data)) == ("pos", "r-1", b'{"a":1}')
    (other,) = lines(
        text.replace('"source":"pos",', "").replace('"member":"m"', '"identifier":{"kind":"k","value":"v"}')
    )
    assert other.submission is not None
    assert (other.submission.source, other.identifier) == ("import", Identifier("k", "v"))


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        ("not json", "malformed", ""),
        ('{"id": 7}', "invalid", "/id"),
        ('{"id":"r","type":"check_in","member":"m","occurred_at":"2026-03-01"}', "invalid_instant", "/occurred_at"),
        ('{"id":"r","type":"check_in","occurred_at":"2026-03-01T10:00:00Z"}', "invalid", "/member"),
        ('{"id":"r","type":"check_in","member":"m","occurred_at":"2026-03-01T10:00:00Z","colour":1}', "invalid", ""),
    ],
)
def test_a_line_that_is_no_activity_is_a_fault_with_its_place(text: str, code: str, pointer: str) -> None:
    (found,) = lines(text)
    assert found.submission is None
    assert (found.faults[0].line, found.faults[0].code, found.faults[0].pointer) == (1, code, pointer)
