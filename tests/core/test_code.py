"""Voucher codes are unguessable, read back from sloppy typing, and no slip of one or two characters is another code."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.code import ALPHABET, CODE_MOST, LENGTH, canonical, grouped, is_made, make, make_many

CHANCE = st.binary(min_size=16, max_size=16)


def test_no_two_characters_look_alike_and_none_is_a_vowel() -> None:
    for alike in ("0OQD", "1IL", "2Z", "5S", "6G", "8B", "UV"):
        assert sum(character in ALPHABET for character in alike) <= 1, alike
    assert not set("AEIOU01LQ") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 23


def test_a_code_holds_more_than_eighty_bits_of_chance() -> None:
    assert 23 ** (LENGTH - 1) > 2**85


@settings(max_examples=60)
@given(CHANCE)
def test_every_code_that_is_made_is_found_good_and_is_its_own_canonical_spelling(chance: bytes) -> None:
    code = make(chance)
    assert is_made(code)
    assert canonical(code) == code
    assert canonical(grouped(code)) == code
    assert len(grouped(code)) == LENGTH + 3


@settings(max_examples=20)
@given(CHANCE)
def test_no_single_wrong_character_makes_another_code(chance: bytes) -> None:
    code = make(chance)
    for place in range(LENGTH):
        for other in ALPHABET.replace(code[place], ""):
            assert not is_made(code[:place] + other + code[place + 1 :])


@settings(max_examples=20)
@given(CHANCE)
def test_no_two_characters_that_changed_places_make_another_code(chance: bytes) -> None:
    code = make(chance)
    for a in range(LENGTH):
        for b in range(a + 1, LENGTH):
            if code[a] != code[b]:
                swapped = [*code]
                swapped[a], swapped[b] = swapped[b], swapped[a]
                assert not is_made("".join(swapped))


def weightless(code: str) -> bool:
    """A check without weights, which is what a careless one would be."""
    return sum(ALPHABET.index(character) for character in code) % 23 == 0


def test_a_check_without_weights_would_not_notice_places_that_changed() -> None:
    code = next(
        code for code in make_many(b"".join(sha256(bytes([n])).digest() for n in range(200))) if weightless(code)
    )
    place = next(n for n in range(LENGTH - 1) if code[n] != code[n + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert weightless(swapped)
    assert not is_made(swapped)


@settings(max_examples=60)
@given(CHANCE, st.data())
def test_case_blanks_dashes_wide_and_look_alike_characters_make_no_difference(
    chance: bytes, data: st.DataObject
) -> None:
    code = make(chance)
    alike = {"2": "2Zz", "5": "5Ss", "6": "6Gg", "8": "8Bb", "V": "VvUu"}
    typed = ""
    for character in code:
        ways = [*alike.get(character, character + character.lower()), chr(ord(character) + 0xFEE0)]
        typed += data.draw(st.sampled_from(ways)) + data.draw(st.sampled_from(["", "", "", " ", "-", "–", "　"]))
    assert canonical(typed) == code


def test_codes_from_elsewhere_keep_their_letters() -> None:
    assert canonical(" welcome-10 ") == "WELCOME10"
    assert canonical("ＷＥＬＣＯＭＥ１０") == "WELCOME10"
    assert canonical("双十一") == "双十一"
    assert grouped("WELCOME10") == "WELCOME10"
    assert (
        canonical("x" * (CODE_MOST + 1))
        == canonical("")
        == canonical("a\0b")
        == canonical("A:B")
        == canonical("A/B")
        == ""
    )


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_a_canonical_spelling_is_canonical(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_the_codes_of_other_chance_are_others() -> None:
    chance = b"".join(sha256(n.to_bytes(4)).digest() for n in range(2000))
    codes = make_many(chance)
    assert len(codes) == len(set(codes)) == 4_000
    for place in range(LENGTH):
        assert {code[place] for code in codes} == set(ALPHABET)
    with pytest.raises(ValueError, match="16 bytes"):
        make(b"too few")
