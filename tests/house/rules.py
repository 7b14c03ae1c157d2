"""What the house forbids in its files, each rule beside the text it must flag and the text it must leave alone.

A rule reads one file and yields what it objects to, line by line. It judges the text and its syntax tree, never a
running program, so it holds for code that no test reaches. `test_house_rules` runs every rule over its own
examples first: a rule that flags nothing proves nothing.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath


@dataclass(frozen=True)
class File:
    """A file by its path from the project's root, with `/` on every platform."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    def lies_in(self, *folders: str) -> bool:
        return any(self.path.startswith(f"{folder}/") for folder in folders)


Objections = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Rule:
    """`covers` says of which files it speaks. Every text in `bad` is flagged and none in `good`, standing at `at`."""

    name: str
    covers: Callable[[File], bool]
    check: Callable[[File], Objections]
    at: str
    bad: tuple[str, ...]
    good: tuple[str, ...] = ()

    def objections(self, file: File) -> list[str]:
        if not self.covers(file):
            return []
        return [f"{file.path}:{line}: {what}" for line, what in self.check(file)]


# --- where rules hold ---

SOURCE = "src/laurels"
CORE = f"{SOURCE}/core"
STORE = f"{SOURCE}/store"

# It starts and watches a server, in seconds, and never sees an amount.
EMBEDDED = f"{STORE}/embedded"

# The two modules whose named functions divide, each saying how it rounds.
# Codes divide by the size of their alphabet, which rounds nothing.
DIVIDERS = frozenset({f"{CORE}/money.py", f"{CORE}/calendar.py", f"{CORE}/code.py"})


def _everything(_: File) -> bool:
    return True


def _python(file: File) -> bool:
    return file.is_python


def _source(file: File) -> bool:
    return file.is_python and file.lies_in(SOURCE)


def _core(file: File) -> bool:
    return file.is_python and file.lies_in(CORE)


def _ledger(file: File) -> bool:
    return file.is_python and file.lies_in(CORE, STORE) and not file.lies_in(EMBEDDED)


def _store(file: File) -> bool:
    return _ledger(file) and not _core(file)


def _ledger_but_dividers(file: File) -> bool:
    return _ledger(file) and file.path not in DIVIDERS


def _ledger_sql(file: File) -> bool:
    return file.path.endswith(".sql") and file.lies_in(STORE)


# --- numbers ---

# Methods of the standard library whose answers, or arguments, are binary floating point.
FLOAT_METHODS = frozenset({"total_seconds", "timestamp", "fromtimestamp", "utcfromtimestamp"})


def _is_call_of(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _operations(tree: ast.Module) -> Iterator[tuple[int, ast.operator, tuple[ast.expr, ast.expr]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            yield node.lineno, node.op, (node.left, node.right)
        elif isinstance(node, ast.AugAssign):
            yield node.lineno, node.op, (node.target, node.value)


def _names_that_only_ask(tree: ast.Module) -> set[int]:
    """Names inside `isinstance(...)` and `case ...():`, where a type is asked for in order to refuse it."""
    asking: list[ast.AST] = [node for node in ast.walk(tree) if _is_call_of(node, "isinstance", "issubclass")]
    asking += [node.cls for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    return {id(name) for node in asking for name in ast.walk(node) if isinstance(name, ast.Name)}


def _binary_floats(file: File) -> Objections:
    only_ask = _names_that_only_ask(file.tree)
    for node in ast.walk(file.tree):
        match node:
            case ast.Constant(value=float() | complex() as value):
                yield node.lineno, f"the float {value!r}"
            case ast.Name(id="float" | "complex" as name) if id(node) not in only_ask:
                yield node.lineno, f"the type {name}"
            case ast.Call(func=ast.Name(id="round")):
                yield node.lineno, "round() rounds floats, and half to even"
            case ast.Call(func=ast.Attribute(attr=method)) if method in FLOAT_METHODS:
                yield node.lineno, f".{method}() deals in floats"
            case ast.Constant(value=str() as text) if re.fullmatch(r".*\bfloat\b.*\|.*|float", text):
                yield node.lineno, "the type float, in quotes"
            case _:
                pass


def _true_division(file: File) -> Objections:
    joins_paths = file.lies_in(STORE)
    for line, operator, operands in _operations(file.tree):
        if isinstance(operator, ast.Div) and not (joins_paths and any(map(_is_text, operands))):
            yield line, "true division"


def _division(file: File) -> Objections:
    for line, operator, (left, _) in _operations(file.tree):
        if isinstance(operator, ast.FloorDiv) or (isinstance(operator, ast.Mod) and not _is_text(left)):
            yield line, "floor division or remainder"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Name) and node.id == "divmod":
            yield node.lineno, "divmod"


def _sql_floats(file: File) -> Objections:
    for number, line in enumerate(file.text.splitlines(), 1):
        code = line.partition("--")[0]
        for found in re.finditer(r"\b(real|float[48]?|double\s+precision|money)\b", code, re.IGNORECASE):
            yield number, f"the type {found[0]}"


# --- purity ---

# Value libraries only. What reads a clock, a file, the environment, a socket or chance is not among them.
CORE_MAY_IMPORT = frozenset(
    {
        *("__future__", "abc", "ast", "base64", "bisect", "calendar", "collections", "contextlib", "copy"),
        *(
            "dataclasses",
            "datetime",
            "decimal",
            "difflib",
            "enum",
            "fractions",
            "functools",
            "hashlib",
            "heapq",
            "hmac",
        ),
        *("itertools", "json", "keyword", "math", "operator", "re", "string", "struct", "textwrap", "types", "typing"),
        *("unicodedata", "zoneinfo"),
        *("cel_expr_python", "google.protobuf", "msgspec", "tzdata", "yaml"),
        "laurels.core",
    }
)

# The pinned time zone data is a value library too, but its zones are files inside the package.
CALENDAR_MAY_IMPORT = frozenset({"importlib"})

AMBIENT_METHODS = frozenset({"now", "utcnow", "today"})
AMBIENT_FUNCTIONS = frozenset({"open", "print", "input", "breakpoint", "__import__"})


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _foreign_imports(file: File) -> Objections:
    may_import = CORE_MAY_IMPORT | (CALENDAR_MAY_IMPORT if file.path == f"{CORE}/calendar.py" else frozenset())
    for line, name in _imports(file.tree):
        if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in may_import):
            yield line, f"imports {name}"


def _ambient(file: File) -> Objections:
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=method)) if method in AMBIENT_METHODS:
                yield node.lineno, f".{method}() reads a clock"
            case ast.Call(func=ast.Name(id=name)) if name in AMBIENT_FUNCTIONS:
                yield node.lineno, f"{name}() reaches outside"
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield node.lineno, "waits for something"
            case ast.Global():
                yield node.lineno, "changes its module"
            case _:
                pass


# --- state ---

MUTABLE_DISPLAYS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
MUTABLE_CALLS = ("dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict")
READ_ONLY = re.compile(r"\b(Final|Mapping|Sequence|Collection|AbstractSet)\b")


def _module_level(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        yield statement
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _module_level(getattr(statement, block, []))


def _module_state(file: File) -> Objections:
    for statement in _module_level(file.tree.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name), *_], value=value):
                declared = ""
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                declared = ast.unparse(annotation)
            case _:
                continue
        mutable = isinstance(value, MUTABLE_DISPLAYS) or _is_call_of(value, *MUTABLE_CALLS)
        # In the core a constant says so to the type checker; elsewhere its capitals suffice.
        constant = READ_ONLY.search(declared) or (name.isupper() and not file.lies_in(CORE))
        if mutable and not constant and name != "__all__":
            yield statement.lineno, f"{name} can change: make it Final, a read-only type, a tuple or a frozenset"


# --- words ---

UNFINISHED = re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX", "HACK" + "ME")))

REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
)

HOME_PATH = re.compile(r"(?<![\w.])/(?:root|home/[a-z]\w*|Users/\w+)/")


def _lines_with(pattern: re.Pattern[str], file: File, what: str) -> Objections:
    for number, line in enumerate(file.text.splitlines(), 1):
        for found in pattern.finditer(line):
            yield number, f"{what}: {found[0]}"


def _unfinished(file: File) -> Objections:
    return _lines_with(UNFINISHED, file, "unfinished work is not on main")


def _registry_hosts(file: File) -> Objections:
    return _lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS))), file, "a package registry by name")


def _home_paths(file: File) -> Objections:
    return _lines_with(HOME_PATH, file, "a path of somebody's machine")


DOCSTRING_LINES_MAX = 10


def _module_docstring(file: File) -> Objections:
    docstring = ast.get_docstring(file.tree)
    if docstring is None:
        yield 1, "no docstring"
    elif len(docstring.splitlines()) > DOCSTRING_LINES_MAX:
        yield 1, f"a docstring of more than {DOCSTRING_LINES_MAX} lines"


def _public_docstrings(file: File) -> Objections:
    for node in file.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if not name.startswith("_") and ast.get_docstring(node) is None:
                    yield node.lineno, f"{name} has no docstring"
            case _:
                pass


IGNORE = re.compile(r"#\s*(?:noqa|type:\s*ignore|mypy:|ruff:)")
EXPLAINED_IGNORE = re.compile(r"#\s*(?:noqa:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\])\W+\w+\W+\w+")


def _unexplained_ignores(file: File) -> Objections:
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        ignores = token.type == tokenize.COMMENT and IGNORE.search(token.string)
        if ignores and not EXPLAINED_IGNORE.search(token.string):
            yield token.start[0], "an ignore that does not say why"


# --- shape ---

EMPTY_NAMES = re.compile(r"(utils?|helpers?|common|misc|managers?|.*_(utils?|helpers?|manager))")
SOURCE_LINES_MAX = 700


def _empty_names(file: File) -> Objections:
    for part in PurePosixPath(file.path).with_suffix("").parts:
        if EMPTY_NAMES.fullmatch(part):
            yield 1, f"the name {part} says nothing of what is inside"


def _too_long(file: File) -> Objections:
    lines = len(file.text.splitlines())
    if lines > SOURCE_LINES_MAX:
        yield lines, f"more than {SOURCE_LINES_MAX} lines: make it a package of the same name"


RULES = (
    Rule(
        name="the ledger knows no binary floats",
        covers=_ledger,
        check=_binary_floats,
        at=f"{CORE}/accrual.py",
        bad=(
            "rate = 1.5",
            "rate = 1e3",
            "def f(x: float) -> int: ...",
            "def f(x: 'float') -> int: ...",
            "def f(x: 'int | float | None') -> int: ...",
            "y = float(x)",
            "y = list(map(float, xs))",
            "y = round(x)",
            "y = (b - a).total_seconds()",
            "y = at.timestamp()",
            "y = datetime.fromtimestamp(x, UTC)",
        ),
        good=(
            "rate = 15",
            "if isinstance(x, float): raise TypeError",
            "match x:\n    case float(): raise TypeError",
            "'a float is refused'",
        ),
    ),
    Rule(
        name="the store divides nothing with a slash",
        covers=_store,
        check=_true_division,
        at=f"{STORE}/schema.py",
        bad=("y = a / b", "y /= 2", "y = total / 2"),
        good=("y = folder / 'schema.sql'", "y = a * b", "y = folder / f'{stem}.sql'"),
    ),
    Rule(
        name="the core divides nothing with a slash, not even paths",
        covers=_core,
        check=_true_division,
        at=f"{CORE}/money.py",
        bad=("y = a / 'x'", "y = a / b"),
    ),
    Rule(
        name="only money and the calendar divide",
        covers=_ledger_but_dividers,
        check=_division,
        at=f"{CORE}/accrual.py",
        bad=("y = a // b", "y = a % b", "y //= 2", "y %= 2", "q, r = divmod(a, b)"),
        good=("y = '%s' % name", "y = f'{name}-%s' % b", "y = a * b"),
    ),
    Rule(
        name="the schema stores no binary floats",
        covers=_ledger_sql,
        check=_sql_floats,
        at=f"{STORE}/schema.sql",
        bad=("x real not null", "x float8", "x DOUBLE PRECISION", "select x::float", "x money"),
        good=("x bigint not null", "x numeric(20, 4) -- never real", "real_name text"),
    ),
    Rule(
        name="the core imports values only",
        covers=_core,
        check=_foreign_imports,
        at=f"{CORE}/decide.py",
        bad=(
            "import time",
            "import os.path",
            "from random import random",
            "from laurels.store import rows",
            "from laurels import clock",
            "import google.auth",
            "def f():\n    import asyncio",
            "import mathematics",
            "import importlib.resources",
        ),
        good=(
            "import msgspec",
            "from datetime import datetime",
            "from collections.abc import Mapping",
            "from laurels.core import facts",
            "from laurels.core.program.model import Program",
            "from google.protobuf import descriptor_pb2",
        ),
    ),
    Rule(
        name="the core neither acts nor asks",
        covers=_core,
        check=_ambient,
        at=f"{CORE}/decide.py",
        bad=(
            "at = datetime.now(UTC)",
            "on = date.today()",
            "at = clock.now()",
            "text = open(path).read()",
            "print(facts)",
            "async def decide(): ...",
            "def f():\n    global seen",
        ),
        good=("at = activity.recorded_at", "now = 5"),
    ),
    Rule(
        name="a module of the core keeps no state",
        covers=_core,
        check=_module_state,
        at=f"{CORE}/tier.py",
        bad=(
            "seen = {}",
            "SEEN = {}",
            "SEEN: dict[str, int] = {}",
            "seen = set()",
            "seen = [x for x in y]",
            "seen = defaultdict(list)",
            "if x:\n    seen = []",
        ),
        good=(
            "KINDS = ('earn', 'spend')",
            "KINDS = frozenset({'earn'})",
            "KINDS: Final = {'earn': 1}",
            "KINDS: Mapping[str, int] = {'earn': 1}",
            "KINDS = MappingProxyType({'earn': 1})",
            "__all__ = ['decide']",
            "def f():\n    seen = {}",
        ),
    ),
    Rule(
        name="a module of another ring keeps constants only",
        covers=_source,
        check=_module_state,
        at=f"{SOURCE}/api/members.py",
        bad=("seen = {}", "_cache: dict[str, int] = {}"),
        good=("ROUTES = [1]", "ROUTES: Final = {}"),
    ),
    Rule(
        name="nothing is left unfinished",
        covers=_everything,
        check=_unfinished,
        at="docs/time.md",
        bad=("TO" + "DO: later", "# FIX" + "ME", "(X" + "XX)"),
        good=("todo lists are fine", "MMXX" + "XI"),
    ),
    Rule(
        name="no file names a package registry",
        covers=_everything,
        check=_registry_hosts,
        at="requirements/dev.txt",
        bad=tuple(f"--index-url https://{host}/simple" for host in REGISTRY_HOSTS),
        good=("install it from PyPI",),
    ),
    Rule(
        name="no file names a path of one machine",
        covers=_everything,
        check=_home_paths,
        at="README.md",
        bad=("cd /" + "root/laurels", "at /home" + "/lin/laurels", "`/Users" + "/Lin/x`"),
        good=("cd laurels", "src/root/x", "the page at /home"),
    ),
    Rule(
        name="every module says which idea it holds",
        covers=_source,
        check=_module_docstring,
        at=f"{SOURCE}/api/members.py",
        bad=("x = 1", "", '"""' + "line\n" * 11 + '"""'),
        good=('"""Members over HTTP."""\nx = 1',),
    ),
    Rule(
        name="everything public in the core says what is true of it",
        covers=_core,
        check=_public_docstrings,
        at=f"{CORE}/tier.py",
        bad=("def review(): ...", "class Track: ..."),
        good=('def review():\n    """The tier that holds."""', "def _rank(): ...", "class _Rung: ..."),
    ),
    Rule(
        name="an ignore says why",
        covers=_python,
        check=_unexplained_ignores,
        at="tests/core/test_tier.py",
        bad=(
            "import x  # noqa",
            "import x  # noqa: F401",
            "import x  # noqa: F401, E402",
            "x = y  # type: ignore",
            "x = y  # type: ignore[assignment]",
            "# ruff: noqa",
            "# mypy: ignore-errors",
        ),
        good=(
            "import x  # noqa: F401 - importing it registers the codec",
            "x = y  # type: ignore[assignment]  # the stub is wrong about None",
            "x = '# noqa'",
        ),
    ),
)

# Rules over a file's name and length: their examples are files, not texts.
SHAPE_RULES = (
    (
        Rule("a file's name says what is inside", _everything, _empty_names, at="", bad=()),
        (
            File("src/laurels/utils.py", ""),
            File("tests/helpers/x.py", ""),
            File("src/laurels/common/x.py", ""),
            File("src/laurels/store/lane_manager.py", ""),
        ),
        (File("src/laurels/core/money.py", ""), File("docs/commonwealth.md", "")),
    ),
    (
        Rule("a file of the source can be read in one sitting", _source, _too_long, at="", bad=()),
        (File("src/laurels/core/x.py", "\n" * (SOURCE_LINES_MAX + 1)),),
        (File("src/laurels/core/x.py", "\n" * SOURCE_LINES_MAX), File("openapi.json", "\n" * 9_000)),
    ),
)
