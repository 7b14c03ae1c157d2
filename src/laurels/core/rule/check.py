"""Whether a rule is one: all that is wrong with it at once, or the rule with its function's source.

Two readers judge every text. Ours resolves it, knows what Laurels allows and says it in a program's words. Google's C++
checker parses, and has the last word on types: a rule passes only when both agree.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from laurels.core.rule import tree
from laurels.core.rule.environment import Environment, Scope
from laurels.core.rule.guard import unguarded
from laurels.core.rule.resolve import Problem, Resolver
from laurels.core.rule.source import source_of
from laurels.core.rule.typed import Typed, reads

TEXT_LONGEST: Final = 4_000
FINDINGS_MOST: Final = 20

CODES: Final[Mapping[str, str]] = {
    "rule_syntax": "the text is not CEL",
    "rule_too_long": "the text has more than 4,000 characters",
    "rule_too_deep": "parentheses, sums, exists or all stand too deeply in one another",
    "rule_invalid_character": "the text has a control character",
    "rule_unknown_name": "no variable of that name is known here",
    "rule_unknown_field": "the variable has no field of that name",
    "rule_name_taken": "exists or all names its element like a variable that is known already",
    "rule_unknown_function": "rules have no function of that name",
    "rule_unknown_value": "the field never has that value",
    "rule_outside_subset": "CEL has this, rules do not",
    "rule_not_bool": "the rule is not true or false",
    "rule_type_mismatch": "values of different types meet",
    "rule_unguarded_optional": "an optional field is read without has()",
    "rule_needless_has": "has() asks of a field that is always there",
    "rule_money_comparison": "money is compared with something other than a literal, or by equality",
    "rule_money_precision": "an amount has more decimals than the currency",
    "rule_decimal_precision": "a number has too many decimals or digits",
    "rule_invalid_literal": "a date, timestamp, duration or number is not written as one",
    "rule_empty_list": "a list of constants is empty",
    "rule_overflow": "a sum could leave the range of its type",
    "rule_no_lines": "a rule on lines stands where there is no purchase",
}


class RuleFinding(msgspec.Struct, frozen=True):
    """What is wrong with a rule, where in its text (from 1, in code points), and what to write instead."""

    code: str
    message: str
    line: int
    column: int
    hint: str | None


class Rule(msgspec.Struct, frozen=True):
    """A checked rule: its text, the source of its function, and the dotted paths of what it reads."""

    text: str
    source: str
    reads: frozenset[str]


def check(text: str, environment: Environment, *, scope: Scope) -> Rule | tuple[RuleFinding, ...]:
    """The rule, or all findings on it in the order of the text.

    In the scope "lines" a rule is asked of each line and may name `line`; in "condition" of the activity as a whole.
    """
    problem = _unreadable(text) or _without_lines(environment, scope)
    if problem is not None:
        return (_finding(problem, text),)
    cel = environment.cel(scope)
    refusal = ""
    try:
        serialized = cel.compile(text).serialize()
    except RuntimeError as error:
        refusal = str(error)
        try:
            serialized = cel.compile(text, disable_check=True).serialize()
        except RuntimeError as unparsed:
            return _findings(_complaints(str(unparsed), text), text)
    try:
        node = tree.decode(serialized, text)
    except tree.TooDeep:
        return (_finding(_TOO_DEEP, text),)
    resolver = Resolver(text, environment, scope)
    typed = resolver.rule(node)
    problems = [*resolver.problems, *_unguarded(typed)]
    if refusal and not problems:
        problems = _complaints(refusal, text)
    if problems:
        return _findings(problems, text)
    return Rule(text, source_of(typed), reads(typed))


_TOO_DEEP: Final = Problem(
    0, "rule_too_deep", "the rule nests too deeply", "use fewer parentheses, and at most some 25 terms in a sum"
)


def _unreadable(text: str) -> Problem | None:
    if len(text) > TEXT_LONGEST:
        message = f"the rule has {len(text)} characters, at most {TEXT_LONGEST} are allowed"
        return Problem(TEXT_LONGEST, "rule_too_long", message, "name what it tests as a declared field")
    for at, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            return Problem(at, "rule_invalid_character", f"U+{ord(character):04X} is no character of a rule")
    if not text.strip():
        return Problem(0, "rule_syntax", "the rule is empty", "leave it out, or write a condition")
    return None


def _without_lines(environment: Environment, scope: Scope) -> Problem | None:
    if scope == "condition" or environment.has_purchase:
        return None
    return Problem(0, "rule_no_lines", "only purchases have lines to choose from")


def _unguarded(typed: Typed) -> list[Problem]:
    return [
        Problem(
            read.at,
            "rule_unguarded_optional",
            f"{read.written} may be absent",
            f"write has({read.written}) && ... before it, or give the field a default"
            if read.named.declared
            else f"write has({read.written}) && ... before it",
        )
        for read in unguarded(typed)
    ]


# --- what CEL says ---

_COMPLAINT: Final = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
_CODES_BY_WORDS: Final[Mapping[str, str]] = {
    "no matching overload": "rule_type_mismatch",
    "undeclared reference": "rule_unknown_name",
    "undefined field": "rule_unknown_field",
}
_WORDS: Final[Mapping[str, str]] = {"and": "&&", "or": "||", "not": "!", "is": "==", "None": "has(...)"}
_FULL_WIDTH: Final[Mapping[str, str]] = {"≥": ">=", "≤": "<=", "≠": "!=", "“": '"', "”": '"', "‘": "'", "’": "'"}


def _complaints(refusal: str, text: str) -> list[Problem]:
    """CEL's own findings, placed and put shortly."""
    if "recursion" in refusal:
        return [_TOO_DEEP]
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    problems: list[Problem] = []
    for line, column, message in _COMPLAINT.findall(refusal):
        if int(line) < 1 and problems:
            continue
        at = min(starts[min(max(int(line), 1), len(starts)) - 1] + max(int(column), 1) - 1, len(text))
        problems.append(_complaint(at, message.removesuffix(" [INVALID_ARGUMENT]"), text))
    return problems or [Problem(0, "rule_syntax", refusal.partition("\n")[0])]


def _complaint(at: int, message: str, text: str) -> Problem:
    for words, code in _CODES_BY_WORDS.items():
        if words in message:
            return Problem(at, code, message)
    message = message.removeprefix("Syntax error: ").partition(" expecting ")[0]
    if "<EOF>" in message:
        return Problem(at, "rule_syntax", "the rule ends too early", "something is missing at its end")
    return Problem(at, "rule_syntax", message, _syntax_hint(at, text))


def _syntax_hint(at: int, text: str) -> str | None:
    word = re.match(r"\w+", text[at:])
    if word and word[0].lower() in _WORDS:
        return f"write {_WORDS[word[0].lower()]} in place of {word[0]}"
    character = text[at : at + 1]
    plain = _FULL_WIDTH.get(character) or unicodedata.normalize("NFKC", character)
    if plain != character and plain.isascii():
        return f"write {plain!r} in place of the full-width {character!r}"
    return {"=": "write == to compare", "&": "write &&", "|": "write ||"}.get(character)


# --- findings ---


def _findings(problems: list[Problem], text: str) -> tuple[RuleFinding, ...]:
    """In the order of the text, each once, and no more than a person reads."""
    in_order = sorted(dict.fromkeys(problems), key=lambda problem: problem.at)
    return tuple(_finding(problem, text) for problem in in_order[:FINDINGS_MOST])


def _finding(problem: Problem, text: str) -> RuleFinding:
    before = text[: problem.at]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return RuleFinding(problem.code, problem.message, line, column, problem.hint)
