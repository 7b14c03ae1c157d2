"""The documents that tests of programs read, and how to get a program out of a text that must be one."""

from pathlib import Path

from laurels.core.program.loading import load
from laurels.core.program.model import Program

HERE = Path(__file__).parent
PROGRAMS = HERE.parents[2] / "programs"

CORNER_CAFE = (HERE / "corner_cafe.yaml").read_text()
EVERY_WORD = (HERE / "every_word.yaml").read_text()
GROCERY = (PROGRAMS / "grocery.yaml").read_text()
MINIMAL = (PROGRAMS / "minimal.yaml").read_text()

DOCUMENTS = {"corner_cafe": CORNER_CAFE, "every_word": EVERY_WORD, "grocery": GROCERY, "minimal": MINIMAL}


def sound(text: str) -> Program:
    """The program of a document without errors."""
    program = load(text)
    assert isinstance(program, Program), program
    return program
