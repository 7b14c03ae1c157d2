"""Which files are the project's: what git keeps or would keep, or the whole tree where there is no git."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Only for a tree without git: what .gitignore leaves out.
MADE_FOLDERS = frozenset({"var", "dist", "node_modules", "__pycache__"})


@cache
def project_files(root: Path = ROOT) -> tuple[str, ...]:
    """Every file of the project by its path from the root, with `/` on every platform, in order."""
    names = _from_git(root) or _from_walking(root)
    return tuple(sorted(name for name in names if (root / name).is_file()))


def text_of(name: str, root: Path = ROOT) -> str | None:
    """The file's text, or None when it is not text."""
    try:
        return (root / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def _from_git(root: Path) -> list[str]:
    if not (root / ".git").exists():  # an outer repository knows nothing of this tree
        return []
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(listing, cwd=root, capture_output=True, check=True, text=True, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):  # no git here, or a tree that it does not trust
        return []
    return found.stdout.split("\0")[:-1]


def _from_walking(root: Path) -> list[str]:
    def made(folder: Path) -> bool:
        hidden = folder.name.startswith(".") and folder.name != ".ci"
        return hidden or folder.name in MADE_FOLDERS or folder.name.endswith(".egg-info")

    def walk(folder: Path) -> list[str]:
        found = []
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                found += [] if made(entry) else walk(entry)
            else:
                found.append(entry.relative_to(root).as_posix())
        return found

    return walk(root)
