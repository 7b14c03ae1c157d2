"""Rules at random: everything the language has, with optional fields asked for before they are read."""

import json
import random
from collections.abc import Callable

from laurels.core.rule.environment import Environment, Named
from tests.core.rule.sample import AMOUNTS, DATES, DECIMALS, INTS, QUANTITIES, STRINGS

Known = frozenset[str]
Place = tuple[str, Named]

_INSTANTS = ("1970-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", "2026-03-01T10:00:00Z", "2026-03-01T09:59:59.999999Z")
_DURATIONS = ("0s", "1h", "720h", "-1h30m", "1ms", "87000h")
_ORDER = ("<", "<=", ">", ">=")


def text_literal(text: str) -> str:
    """A text as CEL writes it; JSON escapes the same characters but one."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")


class Writer:
    """Writes rules for an environment in the scope "lines"."""

    def __init__(self, environment: Environment, seed: int) -> None:
        self.environment = environment
        self.random = random.Random(seed)
        self.names = 0

    def rule(self) -> str:
        variables = list(self.environment.variables("lines").items())
        return self.condition(self.random.randint(1, 3), variables, frozenset(), 0)

    def condition(self, depth: int, variables: list[tuple[str, str]], known: Known, loops: int) -> str:
        if depth == 0:
            return self.atom(variables, known)

        def inner(more: Known = frozenset()) -> str:
            return self.condition(depth - 1, variables, known | more, loops)

        choices: list[Callable[[], str]] = [
            lambda: f"{inner()} && {inner()}",
            lambda: f"({inner()} || {inner()})",
            lambda: f"({inner()} || {inner()} || {inner()})",
            lambda: f"!({inner()})",
            lambda: f"({inner()} ? {inner()} : {inner()})",
            lambda: f"({inner()}) == ({inner()})",
            lambda: self.atom(variables, known),
        ]
        optional = [path for path, named in self.places(variables) if named.optional and self.can_ask(named)]
        if optional:
            path = self.random.choice(optional)
            here = frozenset([path])
            choices += [
                lambda: f"(has({path}) && {self.about(path, variables, known | here)} && {inner(here)})",
                lambda: f"(!has({path}) || {self.about(path, variables, known | here)})",
                lambda: f"(has({path}) ? {inner(here)} : {inner()})",
                lambda: (
                    f"(!(has({path}) && {inner(here)}) || {self.about(path, variables, known | here)})"
                    if path in known
                    else f"has({path})"
                ),
            ] * 2
        if loops < 2:
            choices += [lambda: self.loop(depth, variables, known, loops)] * 4
        return self.random.choice(choices)()

    def loop(self, depth: int, variables: list[tuple[str, str]], known: Known, loops: int) -> str:
        lists = [(path, named.kind) for path, named in self.places(variables) if named.kind.startswith("list<")]
        constants = ", ".join(text_literal(text) for text in self.random.sample(STRINGS, 2))
        over, kind = self.random.choice([*lists, (f"[{constants}]", "list<string>"), *lists[-3:]])
        self.names += 1
        name = f"x{self.names}"
        how = self.random.choice(("exists", "all"))
        inside = [*variables, (name, kind[5:-1])]
        body = self.condition(depth - 1, inside, known, loops + 1)
        about = self.of_kind(name, "string", inside, known) if kind == "list<string>" else None
        if about is None:
            path, named = self.random.choice(self.readable([(name, kind[5:-1])], frozenset()))
            about = self.of_kind(path, named.kind, inside, known)
        joined = self.random.choice((f"{about} && {body}", f"({about} || {body})", about))
        return f"{over}.{how}({name}, {joined})"

    # --- places ---

    def places(self, variables: list[tuple[str, str]]) -> list[Place]:
        """Every field that can be read, messages inside messages included."""
        found: list[Place] = []
        for name, kind in variables:
            for field, named in self.environment.messages.get(kind, {}).items():
                if named.kind in self.environment.messages:
                    found += self.places([(f"{name}.{field}", named.kind)])
                else:
                    found.append((f"{name}.{field}", named))
        return found

    def can_ask(self, named: Named) -> bool:
        """CEL cannot tell absent money from its default, which the messages carry as a value."""
        return not (named.kind == "money" and named.default is not None)

    def readable(self, variables: list[tuple[str, str]], known: Known) -> list[Place]:
        return [
            (path, named)
            for path, named in self.places(variables)
            if not named.optional or named.default is not None or path in known
        ]

    def a(self, kind: str, variables: list[tuple[str, str]], known: Known) -> str:
        """A field, loop variable or sum of a kind."""
        paths = [path for path, named in self.readable(variables, known) if named.kind == kind]
        paths += [name for name, of in variables if of == kind]
        return self.random.choice(paths)

    # --- conditions without parts ---

    def atom(self, variables: list[tuple[str, str]], known: Known) -> str:
        names = [name for name, kind in variables if kind == "string"]
        if names and self.random.random() < 0.3:
            return self.of_kind(self.random.choice(names), "string", variables, known)
        by_kind: dict[str, list[str]] = {}
        for path, named in self.readable(variables, known):
            by_kind.setdefault(named.kind, []).append(path)
        kind = self.random.choice(sorted(by_kind))
        return self.of_kind(self.random.choice(by_kind[kind]), kind, variables, known)

    def about(self, path: str, variables: list[tuple[str, str]], known: Known) -> str:
        kind = dict(self.places(variables))[path].kind
        return self.of_kind(path, kind, variables, known)

    def of_kind(self, path: str, kind: str, variables: list[tuple[str, str]], known: Known) -> str:
        choose = self.random.choice
        match kind:
            case "string":
                return self.of_string(path, variables, known)
            case "bool":
                return choose((path, f"!{path}", f"{path} == {choose(('true', 'false'))}", f"{path} in [true]"))
            case "int":
                left = self.sum(path, variables, known)
                right = choose((str(choose(INTS)), self.a("int", variables, known)))
                return choose((f"{left} {self.operator()} {right}", f"{path} in [{self.some(INTS)}]"))
            case "decimal":
                literal = choose(DECIMALS)
                right = choose((literal, literal, self.a("decimal", variables, known)))
                return choose((f"{path} {self.operator()} {right}", f"{path} in [{self.some(DECIMALS)}]"))
            case "quantity":
                literal = f"{choose(QUANTITIES) / 10**6:.6f}".rstrip("0").rstrip(".")
                right = choose((literal, literal, self.a("quantity", variables, known)))
                return choose((f"{path} {self.operator()} {right}", f"{path} in [1, {literal}]"))
            case "money":
                literal = choose((f"{choose(AMOUNTS) / 100:.2f}", str(choose((-1, 0, 1, 30)))))
                return choose((f"{path} {choose(_ORDER)} {literal}", f"{literal} {choose(_ORDER)} {path}"))
            case "date":
                right = choose((text_literal(choose(DATES)), self.a("date", variables, known)))
                dates = self.some(tuple(map(text_literal, DATES)))
                return choose((f"{path} {self.operator()} {right}", f"{path} in [{dates}]"))
            case "timestamp":
                right = choose((f'timestamp("{choose(_INSTANTS)}")', self.a("timestamp", variables, known)))
                moved = f'{path} {choose("+-")} duration("{choose(_DURATIONS)}")'
                return f"{choose((path, moved))} {self.operator()} {right}"
            case "list<string>":
                text = choose((text_literal(choose(STRINGS)), self.a("string", variables, known)))
                return choose((f"{text} in {path}", f"size({path}) {self.operator()} 2", f"{path}.size() > 0"))
            case _:
                return f"size({path}) {self.operator()} {choose('012')}"

    def of_string(self, path: str, variables: list[tuple[str, str]], known: Known) -> str:
        choose = self.random.choice
        named = dict(self.places(variables)).get(path)
        if named is not None and named.choices:
            words = tuple(map(text_literal, named.choices))
            return choose((f"{path} {choose(('==', '!='))} {choose(words)}", f"{path} in [{self.some(words)}]"))
        free = [each for each, of in self.readable(variables, known) if of.kind == "string" and not of.choices]
        other = choose((text_literal(choose(STRINGS)), choose(free)))
        words = tuple(map(text_literal, STRINGS))
        part = text_literal(choose(("a", "e", "t", "b", "咖啡", "豆")))
        return choose(
            (
                f"{path} {self.operator()} {other}",
                f"{path} in [{self.some(words)}]",
                f"{path}.{choose(('startsWith', 'endsWith', 'contains'))}({choose((other, part, part))})",
                f"size({path}) {self.operator()} {choose('0123')}",
                f'({path} != "" ? {path} : {other}) {self.operator()} {other}',
            )
        )

    def sum(self, path: str, variables: list[tuple[str, str]], known: Known) -> str:
        choose = self.random.choice
        other = self.a("int", variables, known)
        return choose(
            (
                path,
                f"{path} + {choose('123')}",
                f"{path} * {choose(('2', '-3', '100'))}",
                f"5 * {path} - ({other} - 1)",
                f"-{path} + {other} * 2",
                f"(size(member.segments) > 1 ? {path} : {other})",
            )
        )

    def operator(self) -> str:
        return self.random.choice((*_ORDER, "==", "=="))

    def some(self, values: tuple[object, ...]) -> str:
        return ", ".join(
            str(value) for value in self.random.sample(values, self.random.randint(1, min(4, len(values))))
        )
