"""The parts of `docs/http.md` that are made from the code. `python -m tests.api.page` writes them anew."""

import re
from pathlib import Path

from laurels.api.activities import ACTIVITIES_MOST
from laurels.api.body import DEPTH_MOST, NUMBER_DIGITS_MOST, TEXT_BYTES_MOST
from laurels.api.paging import LIMIT_MOST
from laurels.api.performing import PARAMETER_MOST
from laurels.api.problem import FINDINGS, PROBLEMS
from laurels.api.scopes import SCOPES
from laurels.core.program.document import BYTES_MOST
from laurels.core.quote import OPEN_MOST
from laurels.core.shape import FINDINGS_MOST
from laurels.core.wire import ATTRIBUTE_MOST, ATTRIBUTES_BYTES_MOST
from laurels.settings import Settings
from laurels.store.codes import CODES_MOST
from tests.docs.reference import table

PATH = Path(__file__).parents[2] / "docs/http.md"
PART = re.compile(r"(<!-- made: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def made(text: str) -> str:
    """The page with its parts as the code has them now."""
    return PART.sub(lambda found: f"{found[1]}{_part(found[2])}{found[4]}", text)


def _part(what: str) -> str:
    match what:
        case "scopes":
            return table(("Scope", "English", "中文"), *((f"`{scope}`", s.en, s.zh) for scope, s in SCOPES.items()))
        case "problems":
            rows = ((f"`{code}`", kind.status, kind.en, kind.zh) for code, kind in PROBLEMS.items())
            return table(("Code", "HTTP", "English", "中文"), *rows)
        case "findings":
            return table(("Code", "Meaning"), *((f"`{code}`", meaning) for code, meaning in FINDINGS.items()))
        case "limits":
            limits = (
                ("Bytes in a body", f"{Settings().body_bytes_most:,} (`LAURELS_BODY_BYTES_MOST`)", "`body_too_large`"),
                ("Seconds for a body", f"{Settings().body_seconds} (`LAURELS_BODY_SECONDS`)", "`body_too_slow`"),
                ("Activities in a request", f"{ACTIVITIES_MOST:,}", "`too_many_activities`"),
                ("Levels of nesting", str(DEPTH_MOST), "`too_deep`"),
                ("Bytes in a text", f"{TEXT_BYTES_MOST:,}", "`too_long`"),
                ("Bytes in a program document", f"{BYTES_MOST:,}", "`too_large`"),
                ("Digits in a number", str(NUMBER_DIGITS_MOST), "`too_long`"),
                ("Characters in an id", str(PARAMETER_MOST), "`too_long`, `no_such_route`"),
                ("Places listed in `errors`", str(FINDINGS_MOST), "the first of them"),
                ("Characters in an attribute's name or text", str(ATTRIBUTE_MOST), "`too_long`"),
                (
                    "Bytes of a member's attributes (JSON)",
                    f"{ATTRIBUTES_BYTES_MOST:,}",
                    "`too_long`, `attributes_too_large`",
                ),
                ("Reserved quotes that a member has open", str(OPEN_MOST), "`too_many_quotes`"),
                ("Codes in a batch", f"{CODES_MOST:,}", "`invalid`"),
                ("Items on a page", str(LIMIT_MOST), "`malformed_query`"),
            )
            return table(("What", "At most", "Otherwise"), *limits)
        case _:
            raise ValueError(f"nothing makes {what!r}")


if __name__ == "__main__":
    PATH.write_text(made(PATH.read_text(encoding="utf-8")), encoding="utf-8")
