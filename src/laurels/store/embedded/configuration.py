"""The settings the embedded server runs with, kept in `laurels.conf` of its data directory and written at every start.

Durability comes first: an answer is given after a commit, so a commit has to be on the disk. The rest suits a small
machine. What an administrator wants otherwise goes into `local.conf` beside it, which is read last and kept as it is.
"""

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from laurels.store.embedded.binaries import Binaries

FILE = "laurels.conf"
LOCAL_FILE = "local.conf"
LOCAL_TEXT = "# Settings of your own for this server. They win over those of Laurels and are kept.\n"
INCLUDE = f"include '{FILE}'"
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def text(binaries: Binaries, settings: Mapping[str, str]) -> str:
    """The whole of `laurels.conf`; `settings` are the caller's and win over the standard ones."""
    chosen = {**_standard(binaries), **settings}
    lines = [
        "# Written by Laurels at every start: changes made here are lost.",
        f"# Put settings of your own into {LOCAL_FILE} in this directory; it is read last.",
        *(f"{name} = {_quoted(value)}" for name, value in chosen.items()),
        f"include '{LOCAL_FILE}'",
    ]
    return "\n".join(lines) + "\n"


def with_include(postgresql_conf: str) -> str:
    """The server's own configuration, which reads ours after everything else."""
    if INCLUDE in postgresql_conf.splitlines():
        return postgresql_conf
    return postgresql_conf.rstrip("\n") + f"\n\n{INCLUDE}\n"


def _standard(binaries: Binaries) -> dict[str, str]:
    settings = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # pglz, the other method, costs more processor than the disk it saves.
        "wal_compression": "lz4" if binaries.lz4 else "off",
        "max_wal_size": "2GB",
        "shared_buffers": f"{shared_megabytes(memory_bytes())}MB",
        "max_connections": "100",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "password_encryption": "scram-sha-256",
        # A file per weekday, begun anew when its day comes round: a week is kept and nothing grows for ever.
        "logging_collector": "on",
        "log_directory": "../log",
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_checkpoints": "off",
    }
    if sys.platform == "darwin":
        # Elsewhere fsync reaches the disk; here it stops at the drive's cache.
        settings["wal_sync_method"] = "fsync_writethrough"
    if sys.platform == "win32":
        settings["listen_addresses"] = "127.0.0.1"
    else:
        settings["listen_addresses"] = ""
        settings["unix_socket_permissions"] = "0700"
    return settings


def shared_megabytes(memory: int) -> int:
    """An eighth of the memory, between 256 MB and 1 GB: what is read again and again stays in it."""
    return min(max(memory >> 23, 256), 1024)


def memory_bytes() -> int:
    """The memory of this machine, or of the container that it runs in; 0 where nobody says."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(_CONTAINER_LIMIT.read_text("ascii")))
    return memory


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
