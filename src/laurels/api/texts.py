"""Sentences for people, by language, as answers carry them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from laurels.core.explanation import Sentence
from laurels.core.refusal import REFUSALS, RefusalKind

Texts = Annotated[dict[str, str], Meta(description="By language: `en`, `zh-CN`.")]


def sentences_of(code: str) -> dict[str, str]:
    """The sentence of a refusal's code by language."""
    return texts(REFUSALS[code])


def texts(sentence: Sentence | RefusalKind) -> dict[str, str]:
    """A sentence by language."""
    return {"en": sentence.en, "zh-CN": sentence.zh}
