"""A console: the commands that a page shows, run one after another in one shell, and what they must answer.

    $ laurels check cafe.yaml
    cafe.yaml is a program ...

Lines under a command are its answer; `...` stands for any characters, and a line of it alone for any lines. A block
marked `background` is one command that goes on until the end; the next command waits for its port.
"""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.docs.page import Block

SECONDS_MOST = 60
BACKGROUND = "console background"


class Command(NamedTuple):
    """A command and the answer that the page shows."""

    text: str
    answer: str
    background: bool


def commands_of(block: Block) -> list[Command]:
    """The commands of a block. One goes on over lines while a single quote is open or a line ends in a backslash."""
    commands: list[Command] = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            last = commands.pop()
            commands.append(last._replace(answer=f"{last.answer}{line}\n"))
            continue
        text = line.removeprefix("$ ")
        while text.count("'") % 2 or text.endswith("\\"):
            text += f"\n{next(lines)}"
        commands.append(Command(text, "", block.kind == BACKGROUND))
    return commands


def answers(shown: str, found: str) -> bool:
    """Whether an answer is the one shown, up to what the page leaves out."""
    pattern = re.escape(shown.strip()).replace("\\\n", "\n").replace(r"\.\.\.", "\0")
    pattern = re.sub(r"(?m)^\0$", "(?:.*\n)*?.*", pattern).replace("\0", ".*")
    return re.fullmatch(pattern, found.strip()) is not None


class Shell:
    """A shell that keeps its variables from command to command."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def run(self, text: str) -> str:
        """What the command answers, on either stream."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {text}\n}} < /dev/null; echo; echo '--- end ---'\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line == "--- end ---\n":
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended: {''.join(lines)}")

    def close(self) -> None:
        """Ends the shell."""
        self._process.communicate(timeout=SECONDS_MOST)


@contextmanager
def going_on(text: str, folder: Path, environment: Mapping[str, str], port: int) -> Iterator[None]:
    """The command goes on within; it is asked to end, and must."""
    log = folder / "background.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {text}"], cwd=folder, env={**os.environ, **environment}, stdout=stream, stderr=stream
        )
        try:
            until = time.monotonic() + SECONDS_MOST
            while not _listens(port):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < until, f"nothing listens: {log.read_text(encoding='utf-8')}"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS_MOST)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def live_through(blocks: Sequence[Block], folder: Path, environment: Mapping[str, str], port: int) -> None:
    """Runs all commands of the blocks in their order; AssertionError with the first whose answer is another."""
    commands = [command for block in blocks for command in commands_of(block)]
    shell = Shell(folder, environment)
    try:
        _run(commands, shell, folder, environment, port)
    finally:
        shell.close()


def _run(commands: Sequence[Command], shell: Shell, folder: Path, environment: Mapping[str, str], port: int) -> None:
    for n, command in enumerate(commands):
        if command.background:
            with going_on(command.text, folder, environment, port):
                _run(commands[n + 1 :], shell, folder, environment, port)
            return
        found = shell.run(command.text)
        assert answers(command.answer, found), f"$ {command.text}\n{found}\nand not\n{command.answer}"
