"""The parts of pages that are made from the code: tables of words, refusals, explanations, findings and settings.

A page holds `<!-- generated: what -->`, the part, and `<!-- end -->`. `python -m tests.docs.reference` writes all parts
anew; a test proves that there is nothing to write.
"""

import re
from collections.abc import Mapping
from typing import Any

from laurels import settings
from laurels.api.problem import FINDINGS, PROBLEMS
from laurels.core import explanation
from laurels.core.explanation import Sentence
from laurels.core.program import (
    campaigns,
    draws,
    fields,
    grants,
    groups,
    loading,
    offers,
    promotions,
    rewards,
    segments,
    tracks,
    vouchers,
    wallets,
    within,
)
from laurels.core.program.fields import FieldKind, FieldType, Literally
from laurels.core.program.finding import CODES
from laurels.core.program.grammar import Choice, Either, Form, FormOf, Kind, ListOf, MapOf, OrWord, Variant, Written
from laurels.core.refusal import REFUSALS
from tests.docs.page import PAGES, ROOT

PART = re.compile(r"(?P<begin><!-- generated: (?P<what>[\w ]+) -->\n)(?P<part>.*?)(?P<end><!-- end -->)", re.DOTALL)
FORM_MODULES = (
    loading, fields, wallets, tracks, segments, campaigns, grants, groups, within, offers, promotions, vouchers,
    rewards, draws,
)  # fmt: skip


def with_parts_made_anew(text: str) -> str:
    """The page with every generated part as the code has it now."""
    return PART.sub(lambda found: f"{found['begin']}{part(found['what'])}{found['end']}", text)


def part(what: str) -> str:
    """A generated part by its name."""
    kind, _, name = what.partition(" ")
    match kind:
        case "words":
            return words_of(form_named(name))
        case "refusals":
            return table(
                ("Code", "HTTP", "English", "中文"), *((f"`{c}`", k.status, k.en, k.zh) for c, k in REFUSALS.items())
            )
        case "problems":
            return table(
                ("Code", "HTTP", "English", "中文"),
                *((f"`{code}`", kind.status, kind.en, kind.zh) for code, kind in PROBLEMS.items()),
            )
        case "complaints":
            return table(("Code", "Meaning"), *((f"`{code}`", meaning) for code, meaning in FINDINGS.items()))
        case "sentences":
            sentences: Mapping[str, Sentence] = getattr(explanation, name)
            return table(("Code", "English", "中文"), *((f"`{c}`", s.en, s.zh) for c, s in sentences.items()))
        case "decisions":
            pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
            titles = {page.name: page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for page in pages}
            return "".join(f"- [{title}]({name})\n" for name, title in titles.items())
        case "findings":
            return table(("Code", "Meaning"), *((f"`{code}`", meaning) for code, meaning in CODES.items()))
        case "settings":
            rows = (
                (f"`{name}`", f"`{default}`" if default else "empty", says)
                for name, default, says in settings.described()
            )
            return table(("Variable", "Default", "Meaning"), *rows)
        case _:
            raise ValueError(f"nothing makes {what!r}")


def table(head: tuple[str, ...], *rows: tuple[object, ...]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


# --- words of the program document ------------------------------------------------------------------------------------


def form_named(name: str) -> type[Form]:
    """A form of the document by the name of its class without `Form`."""
    found = [vars(module)[f"{name}Form"] for module in FORM_MODULES if f"{name}Form" in vars(module)]
    form: type[Form] = found[0]
    return form


def words_of(form: type[Form]) -> str:
    """The words of a form: what each may say and what it means."""
    rows = [
        (f"`{word.name}`{' *' if word.required else ''}", said(word.kind), word.says) for word in form.words.values()
    ]
    return table(("Word", "Says", "Meaning"), *rows)


def said(kind: Kind[Any]) -> str:
    """What can stand for a word, in the words of a person."""
    match kind:
        case Written():
            return "an id" if kind._what == "the id of something" else kind._what
        case Choice():
            return ", ".join(f"`{word}`" for word in kind._words)
        case FormOf():
            return noun(kind._form)
        case Variant():
            return f"{kind._what} (by {', '.join(f'`{mark}`' for mark in kind._forms)})"
        case OrWord():
            return f"`{kind._word}`, or {said(kind._kind)}"
        case Either():
            return f"{said(kind._short)}, or {said(kind._long)}"
        case ListOf():
            one = said(kind._kind)
            return f"{one}; or a list of such" if kind._or_one else f"a list; each {one}"
        case MapOf():
            key, value = said(kind._key).partition(" ")[2], said(kind._value)
            return f"by {key}: {value}"
        case FieldKind():
            return "a type, or a field"
        case FieldType():
            return "a type"
        case Literally():
            return "a value of the type"
        case _:
            raise TypeError(f"nobody said how a {type(kind).__name__} is described")


def noun(form: type[Form]) -> str:
    """What a person calls the form."""
    return form.noun()


if __name__ == "__main__":
    for page in PAGES:
        path = ROOT / page
        before = path.read_text(encoding="utf-8")
        after = with_parts_made_anew(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{page}: written anew")
