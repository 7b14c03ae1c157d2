"""The JSON Schema (2020-12) of the program document, for editors that complete and check while one types.

It is made from the same words that documents are read by, so that it knows every word and no other. It judges shapes
only; what words mean together is for `examine`.
"""

from __future__ import annotations

import json

from laurels.core.program.grammar import Form, Schema, reference_to
from laurels.core.program.loading import ProgramForm


def program_schema() -> Schema:
    """The schema of a document, with one definition for each form, in the order in which a reader meets them."""
    forms: dict[type[Form], None] = {ProgramForm: None}
    ahead: list[type[Form]] = [ProgramForm]
    while ahead:
        words = ahead.pop(0).words.values()
        found = [form for word in words for form in word.kind.forms() if form not in forms]
        forms.update(dict.fromkeys(found))
        ahead.extend(dict.fromkeys(found))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Laurels program",
        **reference_to(ProgramForm),
        "$defs": {form.__name__.removesuffix("Form"): form.schema() for form in forms},
    }


def schema_text() -> str:
    """The schema as the file `programs/program.schema.json` holds it."""
    return json.dumps(program_schema(), ensure_ascii=False, indent=2) + "\n"
