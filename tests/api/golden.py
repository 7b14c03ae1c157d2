"""Golden answers: what the interface answered, kept in files and compared to the letter.

`LAURELS_GOLDEN=write` writes them anew; read the difference before you keep it.
"""

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[2] / "src/laurels/api/examples.json"
WRITING = os.environ.get("LAURELS_GOLDEN") == "write"


def compare(path: Path, value: Any) -> None:
    """The file holds exactly this; written instead when that is asked for."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    if WRITING:
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    assert json.loads(kept or "null") == value, f"{path.name} is otherwise; LAURELS_GOLDEN=write writes it anew"


def stale(kept: set[str]) -> set[str]:
    """Golden files that no step of the story wrote."""
    found = {path.name for path in FOLDER.glob("*.json")}
    if WRITING:
        for name in found - kept:
            (FOLDER / name).unlink()
        return set()
    return found - kept
