"""An end put to a campaign, promotion or kind of voucher in the text of a document, which stays as it was otherwise.

The text is changed where the end belongs and nowhere else, so that comments, order and layout stay their author's. A
comment at the end of the document says what was stopped and why.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

SECTIONS: Final = ("campaigns", "promotions", "vouchers")
"""Where what can be stopped stands, in the order in which it is looked for."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def stopped(document: str, id: str, until: str, reason: str) -> str | None:
    """The document with an end at an instant (RFC 3339) for what has this id; None where nothing has it.

    The document has been published, so that it is a well-formed one.
    """
    document = document.removeprefix("\ufeff")
    found = _find(yaml.compose(document, Loader=_LOADER), id)
    if found is None:
        return None
    section, words = found
    at, to, text = _end(words, until)
    changed = document[:at] + text + document[to:]
    last = "" if changed.endswith("\n") else "\n"
    said = " ".join(reason.split())
    return f"{changed}{last}# {section}/{id} stopped at {until}: {said}\n"


def _find(root: Any, id: str) -> tuple[str, Any] | None:
    sections = {key.value: value for key, value in root.value}
    for section in SECTIONS:
        for key, value in sections[section].value if section in sections else ():
            if key.value == id:
                return section, value
    return None


def _end(words: Any, until: str) -> tuple[int, int, str]:
    """What to write, in place of what."""
    for key, value in words.value:
        if key.value != "during":
            continue
        for word, said in value.value:
            if word.value == "until":
                return said.start_mark.index, said.end_mark.index, f'"{until}"'
        return _before_all(value, f'until: "{until}"')
    return _before_all(words, f'during: {{until: "{until}"}}')


def _before_all(mapping: Any, text: str) -> tuple[int, int, str]:
    """The text as the first word of a mapping, in its own style."""
    begin: int = mapping.start_mark.index
    if mapping.flow_style:
        return begin + 1, begin + 1, f"{text}, " if mapping.value else text
    return begin, begin, f"{text}\n{' ' * mapping.start_mark.column}"
