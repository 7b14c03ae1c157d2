"""Voucher codes: made of chance, easy to read out and type in, and hard to guess or mistype.

A code is 19 characters of chance (85.9 bits) and a check character, in four groups of five. The 23 letters and digits
spell no words (there are no vowels) and no two of them look alike: of 2/Z, 5/S, 6/G, 8/B and V/U the first stands and
the other is read as it; 0, 1, I, L, O and Q are in no code. 23 is a prime and each place has a weight of its own, so
that the check finds every single wrong character and every two that changed places, next to each other or not.

Codes from elsewhere (printed lists, words such as WELCOME10) have no such form. `canonical` is the one spelling under
which a code of either kind is kept and found.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

ALPHABET: Final = "23456789CDFHJKMNPRTVWXY"
LENGTH: Final = 20
GROUP: Final = 5
CHANCE_BYTES: Final = 16
"""How many bytes of chance a code is made of: more than it holds, so that each is as likely as any other."""

CODE_MOST: Final = 64
"""Characters in a code from elsewhere."""

_BASE: Final = len(ALPHABET)
_READ_AS: Final = str.maketrans("ZSGBU", "25" + "68V")
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS: Final = tuple(first + second for second in ALPHABET for first in ALPHABET)
_PAIR_VALUES: Final = tuple((first, second) for second in range(_BASE) for first in range(_BASE))


def make(chance: bytes) -> str:
    """The code that 16 bytes of chance come to, without grouping: all 23^19 codes are equally likely but for 2^-42."""
    if len(chance) < CHANCE_BYTES:
        raise ValueError(f"a code takes {CHANCE_BYTES} bytes of chance")
    number = int.from_bytes(chance[:CHANCE_BYTES])
    text = ""
    total = 0
    # Two characters at a time, which takes half the time; the nineteenth by itself.
    for place in range(1, LENGTH - 1, 2):
        number, pair = divmod(number, _BASE * _BASE)
        first, second = _PAIR_VALUES[pair]
        text += _PAIRS[pair]
        total += place * first + (place + 1) * second
    last = number % _BASE
    total += (LENGTH - 1) * last
    return text + ALPHABET[last] + ALPHABET[_check(total)]


def make_many(chance: bytes) -> list[str]:
    """A code for every 16 bytes of chance."""
    return [make(chance[n : n + CHANCE_BYTES]) for n in range(0, len(chance) - CHANCE_BYTES + 1, CHANCE_BYTES)]


def _check(total: int) -> int:
    """The value at the last place, weight 20, with which the weighted sum of all is a multiple of 23."""
    # 20 is -3, and 8 its negative inverse: -3 * 8 * total = -24 * total = -total.
    return total * 8 % _BASE


def is_made(code: str) -> bool:
    """Whether a text without grouping is a code of ours, its check character included."""
    if len(code) != LENGTH:
        return False
    total = 0
    for place, character in enumerate(code, start=1):
        value = _VALUE.get(character)
        if value is None:
            return False
        total += place * value
    return total % _BASE == 0


@lru_cache(1024)
def canonical(text: str) -> str:
    """The spelling under which a code is kept: capitals, without blanks and dashes, look-alikes read as ours.

    Full-width characters, as input methods give them, count as the plain ones. "" is what is no code at all;
    a code has neither ":" nor "/", which stand between names.
    """
    if len(text) > 4 * CODE_MOST:
        return ""
    if text.isascii() and text.isalnum() and len(text) != LENGTH:
        return text.upper() if len(text) <= CODE_MOST else ""  # What most are: the till's own, and words.
    plain = "".join([
        character
        for character in unicodedata.normalize("NFKC", text).upper()
        if not character.isspace() and unicodedata.category(character) not in ("Pd", "Cf") and character != "\u2212"
    ])  # fmt: skip
    if len(plain) > CODE_MOST or not plain.isprintable() or ":" in plain or "/" in plain:
        return ""
    ours = plain.translate(_READ_AS)
    return ours if is_made(ours) else plain


def grouped(code: str) -> str:
    """The code as people see it: ours in groups of five, others as they are."""
    if not is_made(code):
        return code
    return "-".join([code[n : n + GROUP] for n in range(0, LENGTH, GROUP)])
