"""Sentences for people, by language, as answers carry them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from laurels.core.explanation import Sentence

Texts = Annotated[dict[str, str], Meta(description="By language: `en`, `zh-CN`.")]


def texts(sentence: Sentence) -> dict[str, str]:
    """A sentence by language."""
    return {"en": sentence.en, "zh-CN": sentence.zh}
