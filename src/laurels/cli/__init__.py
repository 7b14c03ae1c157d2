"""The command line: `laurels COMMAND`. Each command is a module; each parses, calls, and says what came of it.

Every command has `--json`, which prints one JSON document instead of words for people. Exit codes: 0 done, 1 refused
or findings, 2 usage, 3 the outside world failed. What needs the HTTP side is handed in (`outside`).
"""

from __future__ import annotations

from collections.abc import Callable

import click

from laurels.cli.check import check_command
from laurels.cli.clock import clock_command
from laurels.cli.database import db_group, migrate_command
from laurels.cli.demo import demo_command
from laurels.cli.draw import draw_group
from laurels.cli.import_files import import_command
from laurels.cli.key import key_group
from laurels.cli.member import member_command
from laurels.cli.openapi import openapi_command
from laurels.cli.outside import Outside
from laurels.cli.plan import plan_command
from laurels.cli.publish import publish_command
from laurels.cli.rebuild import rebuild_command
from laurels.cli.serve import serve_command
from laurels.cli.simulate import simulate_command
from laurels.cli.stop import stop_command
from laurels.cli.verify import verify_command
from laurels.cli.vouchers import vouchers_group
from laurels.cli.worker import worker_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="laurels")
def laurels() -> None:
    """A customer loyalty engine: every point right, explained, reproducible.

    The database is the one that LAURELS_DATABASE_URL names, else an embedded server in LAURELS_DATA_DIRECTORY.
    """


for _command in (
    demo_command, serve_command, check_command, plan_command, publish_command, import_command, simulate_command,
    verify_command, rebuild_command, member_command, key_group, vouchers_group, clock_command, worker_command,
    openapi_command, migrate_command, db_group, draw_group, stop_command,
):  # fmt: skip
    laurels.add_command(_command)


def run(outside: Callable[[], Outside]) -> None:
    """Carries out what the command line says, and ends the process with its exit code."""
    laurels(obj=outside, prog_name="laurels")
