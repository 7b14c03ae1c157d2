"""How long the attacks go on: briefly in `make test`, for as long as it takes in `make test-deep`; and from which seed.

Seeds are fixed in `make test`. LAURELS_SEED repeats a run, LAURELS_DEEP=1 makes it long, with a seed of its own.
"""

import os
import secrets

DEEP = os.environ.get("LAURELS_DEEP", "") not in ("", "0")


def size(brief: int, deep: int) -> int:
    """How many of something a run has."""
    return deep if DEEP else brief


def seed_of(brief: int) -> int:
    """What chance starts from."""
    given = os.environ.get("LAURELS_SEED")
    if given is not None:
        return int(given)
    return secrets.randbits(32) if DEEP else brief
