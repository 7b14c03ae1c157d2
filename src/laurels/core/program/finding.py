"""What is wrong, or odd, in a program document: findings, each at a line and column of the text.

Everything that reads a document notes its findings in one `Notes` and goes on with a harmless stand-in, so that an
author sees all of them at once. A finding has a code from a closed list, says what is the matter, and hints at what
to write instead. A document with an error is no program; warnings are only said.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, Protocol

import msgspec

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # the text
        "too_large": "the document is too long",
        "unreadable": "the document has a character that is not text",
        "empty": "the document says nothing",
        "syntax": "the text is not YAML",
        "several_documents": "the text holds more than one document",
        "alias": "anchors and aliases are not allowed",
        "tag": "tags are not allowed",
        "too_deep": "lists and mappings stand too deeply in one another",
        "duplicate_key": "a key is said twice",
        "too_many": "there are more findings than are shown",
        # words
        "unknown_word": "a form has no such word",
        "missing_word": "a form lacks a word that it needs",
        "contradiction": "words exclude each other",
        "idle_word": "a word has no effect beside another one (warning)",
        "wrong_shape": "a list, a mapping or a single value stands where another belongs",
        "wrong_length": "a list or mapping has too many entries, or too few",
        "no_value": "a word is followed by nothing",
        # values
        "unknown_value": "a value is none of those that the word can have",
        "bad_id": "an id or name is not written as one",
        "bad_text": "a text is empty or too long",
        "bad_language": "a language is not written as a tag",
        "bad_truth": "something is neither true nor false",
        "bad_number": "a number is not written as one, or is out of range",
        "bad_money": "the currency has no such amount",
        "bad_share": "a share is not a percentage from 0 to 100",
        "bad_duration": "a duration is not written as one, or is zero where it cannot be",
        "bad_date": "a date or instant is not written as one, or does not exist",
        "bad_time": "a time of day is not written as one",
        "bad_zone": "the time zone does not exist",
        "bad_currency": "the currency does not exist",
        # references
        "unknown_activity": "no such activity type exists or is declared",
        "unknown_amount": "an order has no such amount",
        "unknown_campaign": "no such campaign exists",
        "unknown_field": "no such field is declared",
        "unknown_scope": "nothing of that name can have fields",
        "unknown_tier": "no such tier exists",
        "unknown_track": "no such track exists",
        "unknown_type": "fields have no such type",
        "unknown_wallet": "no such wallet exists",
        "ambiguous_tier": "several tracks have a tier of that id",
        "mixed_tracks": "tiers of several tracks stand where one track must be meant",
        "duplicate_id": "two things have the same id",
        "bad_rename": "was names something that is not gone, or that another thing already was",
        "not_gone": "something is retired that is still here",
        # fields
        "bad_field": "a field cannot be declared like that",
        "bad_default": "a default is not of its field's type",
        # wallets
        "not_spendable": "a word about spending stands in a wallet that cannot be spent",
        "worthless": "points are to pay at the till and are worth nothing",
        "uneven_worth": "a step of points is not worth a whole number of the smallest units of money (warning)",
        "uneven_minimum": "the least number of points is not a multiple of the steps (warning)",
        "duplicate_date": "a day of expiry is said twice",
        "mixed_expiry": "a tier mixes expiry by inactivity with another in one wallet",
        # tracks
        "first_tier": "the first tier has a threshold",
        "not_rising": "thresholds or brackets do not rise",
        "keep_above_enter": "a tier is harder to keep than to enter",
        "endless_window": "a word about the end of a window stands beside one that never ends",
        "not_a_date": "a field that is asked for a birthday is no date",
        "unforeseeable": "a campaign waits for a tier that depends on points",
        "not_a_number": "a field that is to be added up is not a number",
        # campaigns and groups
        "needs_tier_kept": "a campaign waits for a tier to be kept, and is not on the activity that says so",
        "never_reviewed": "a campaign waits for a tier to be kept that nobody loses",
        "needs_purchase": "a word about purchases stands in a campaign on something else",
        "empty_window": "a campaign ends before it begins",
        "past_window": "a campaign has already ended (warning)",
        "bad_slot": "a weekly slot is empty or goes over midnight",
        "duplicate_limit": "a campaign has two limits of one sort",
        "idle_condition": "a condition depends on nothing (warning)",
        "idle_grant": "a grant grants nothing (warning)",
        "circle": "a campaign multiplies itself, or a group contains itself, by way of others",
        "other_trigger": "a campaign multiplies one that is on other activities",
        "nothing_to_multiply": "a campaign multiplies one that grants nothing by rate into the wallet",
        # vouchers
        "bad_code": "a voucher's code is not written as one",
        "duplicate_code": "two vouchers have the same code",
        "code_in_batch": "a shared code is in a batch already, whose own nobody can use from then on (warning)",
        "unknown_voucher": "no such voucher exists",
        "mixed_group": "a group holds promotions that take money off beside what gives points",
        # draws
        "unknown_draw": "no such draw exists",
        "bad_odds": "odds are not written as such, sum to more than one, or are too fine",
        "draws_early": "a draw is drawn before it closes",
        "too_long": "an instant draw lasts too long",
        "member_only": "who is excluded from a draw depends on something other than the member",
        "not_comparable": "prizes cannot be compared with the limit of the law, which is in another currency",
        "prize_too_high": "a single prize is worth more than the law allows",
        "needs_value": "the law asks for the value of a prize",
        "needs_rules": "the law asks for a rule of the draw that is not said",
        "needs_language": "the law asks for a text in a language that is not there",
        "in_two_groups": "a campaign or group is in two groups",
        # rewards
        "bad_address": "the address of a picture is not written as one",
        "no_value_stated": "a price goes by the value of a reward that has none",
        "idle_cash": "a mixed price leaves nothing to pay with money (warning)",
        "not_money": "a wallet that is to hold money is worth none",
        "uneven_amount": "an amount is not a whole number of points",
        "first_tier_given": "a pass gives the tier on which everybody starts",
        "no_fulfilment": "a word about sending stands in a reward that is given at once",
        "unknown_cause": "no such cause exists",
    }
)
"""What each code means; the findings on conditions have the codes of the rule language beside these."""

FINDINGS_MOST: Final = 500
SUGGESTIONS_MOST: Final = 100
WORD_LONGEST: Final = 64

Severity = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True):
    """One thing to mend. `line` and `column` count from 1, in characters; `path` is the JSON pointer of the value."""

    code: str
    message: str
    line: int
    column: int
    hint: str = ""
    path: str = ""
    severity: Severity = "error"


class Placed(Protocol):
    """Anything that stands at a place of the document."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Notes:
    """Collects findings while a document is read, up to a number beyond which nobody reads on."""

    __slots__ = ("_findings",)

    def __init__(self) -> None:
        self._findings: list[Finding] = []

    def error(self, code: str, at: Placed, message: str, hint: str = "") -> None:
        """Notes an error at the place of `at`."""
        self._add(Finding(code, message, at.line, at.column, hint, at.path))

    def warning(self, code: str, at: Placed, message: str, hint: str = "") -> None:
        """Notes a warning at the place of `at`."""
        self._add(Finding(code, message, at.line, at.column, hint, at.path, "warning"))

    def _add(self, finding: Finding) -> None:
        if len(self._findings) < FINDINGS_MOST:
            self._findings.append(finding)
        elif len(self._findings) == FINDINGS_MOST:
            message = f"there are more than {FINDINGS_MOST} findings"
            self._findings.append(Finding("too_many", message, finding.line, finding.column, "mend the first ones"))

    def suggestion(self, word: str, known: Iterable[str]) -> str:
        """A hint: the known word nearest to a wrong one, else all of them where they are few, else nothing.

        Looking for it takes time, which a document with a great many mistakes is not given.
        """
        if len(self._findings) >= SUGGESTIONS_MOST:
            return ""
        words = list(known)
        near = nearest(word, words)
        if near is not None:
            return f'did you mean "{near}"?'
        return f"known here: {', '.join(words)}" if 0 < len(words) <= 16 else ""

    @property
    def has_errors(self) -> bool:
        """Whether anything noted so far keeps the document from being a program."""
        return any(finding.severity == "error" for finding in self._findings)

    def findings(self) -> tuple[Finding, ...]:
        """All findings, from the top of the document to its end."""
        return tuple(sorted(self._findings, key=lambda finding: (finding.line, finding.column)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was most likely meant to be, if there is one."""
    near = difflib.get_close_matches(word[:WORD_LONGEST], list(known), 1)
    return near[0] if near else None


def shown(text: str) -> str:
    """The text in quotes, cut where it is long."""
    return f'"{text if len(text) <= 60 else text[:57] + "..."}"'
