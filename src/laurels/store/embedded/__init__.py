"""The embedded PostgreSQL server: a real one, run from a Python wheel in a directory of ours, for those without one.

`start` makes and starts it, `stop` stops it, `status` finds it, `running` has it for the time of a block. It listens on
a socket that only its user can reach, keeps what it has committed through a crash, and needs no administrator.
"""

from laurels.store.embedded.failure import EmbeddedServerError
from laurels.store.embedded.server import EmbeddedServer, run_sql, running, start, status, stop

__all__ = ["EmbeddedServer", "EmbeddedServerError", "run_sql", "running", "start", "status", "stop"]
