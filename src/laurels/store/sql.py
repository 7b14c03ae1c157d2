"""SQL lives in named files beside this one; each begins with the reason why it reads as it does."""

from importlib.resources import files


def named(name: str) -> str:
    """The statement in queries/<name>.sql."""
    return (files("laurels.store") / "queries" / f"{name}.sql").read_text(encoding="utf-8")
