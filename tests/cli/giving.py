"""Giving commands in this process, and reading what they say."""

from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from laurels import cli
from laurels.__main__ import outside

PROGRAM = """\
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {expires: {after: 12M}, money: {points: 100, worth: "1.00"}}
tracks:
  membership:
    measure: {spent: net}
    window: calendar_year
    tiers:
      - {id: member}
      - {id: silver, name: {en: Silver}, enter: "100.00"}
segments: {regular: {when: member.counters.purchases >= 2}}
campaigns:
  base: {name: {en: A point a yuan}, on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""

MAPPING = """
type: {column: type}
id: id
member: card
occurred_at: {column: time, zone: UTC}
data: {order: id}
lines: {amount: paid}
"""


def run(*arguments: object, input: bytes | None = None) -> Result:
    """What came of a command."""
    result = CliRunner().invoke(
        cli.laurels, [str(argument) for argument in arguments], obj=outside, prog_name="laurels", input=input
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


class Giving:
    """Commands on one database. Each says what it expects to come of it."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.directory = directory

    def file(self, name: str, text: str) -> Path:
        """A file with this text."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def says(self, *arguments: object, code: int = 0) -> str:
        """What a command says to people."""
        result = run(*arguments)
        assert result.exit_code == code, result.output
        return result.stdout

    def fails(self, *arguments: object, code: int) -> str:
        """What a command says on standard error."""
        result = run(*arguments)
        assert result.exit_code == code, result.output
        return result.stderr

    def json(self, *arguments: object, code: int = 0) -> Any:
        """What a command says to programs."""
        result = run(*arguments, "--json")
        assert result.exit_code == code, result.output
        return msgspec.json.decode(result.stdout)

    def publish(self, document: str = PROGRAM, *options: object) -> Any:
        """The program published."""
        return self.json("publish", self.file("program.yaml", document), *options)

    def members(self, *members: str, at: str = "2026-01-01T00:00:00Z") -> None:
        """These members enrol."""
        rows = "".join(
            f'{{"id":"e-{member}","type":"enrol","member":"{member}","occurred_at":"{at}"}}\n' for member in members
        )
        self.says("import", self.file("members.ndjson", rows))

    def shop(self, *rows: str, name: str = "till.csv", code: int = 0) -> Any:
        """Rows of `id,card,time,paid` go in as purchases."""
        text = "id,card,time,paid\n" + "".join(f"{row}\n" for row in rows)
        mapping = self.file("mapping.yaml", MAPPING.replace("{column: type}", "purchase"))
        return self.json("import", self.file(name, text), "--mapping", mapping, code=code)
