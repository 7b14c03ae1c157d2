"""`laurels key`: API keys of a program. A key is shown once, when it is made."""

from __future__ import annotations

import click
from rich.table import Table

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, program_of, program_option, settings_of
from laurels.core.calendar import format_instant
from laurels.store.keys import ApiKey, keys_of, revoke_key


@click.group("key")
def key_group() -> None:
    """Make, list and revoke API keys."""


@key_group.command("create")
@click.option("--name", default="", help="What it is for.")
@click.option("--source", default="api", show_default=True, help="The source of every activity sent with it.")
@click.option("--scope", "scopes", multiple=True, default=("admin",), show_default=True, help="What it may do; repeat.")
@program_option
@json_option
@pass_outside
def create_command(
    outside: Outside, *, name: str, source: str, scopes: tuple[str, ...], program: str | None, as_json: bool
) -> None:
    """Make a key. It is shown now and never again."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_create(outside, screen, name, source, scopes, program))


async def _create(
    outside: Outside, screen: Screen, name: str, source: str, scopes: tuple[str, ...], given: str | None
) -> None:
    unknown = sorted(set(scopes) - set(outside.scopes()))
    if unknown:
        raise click.UsageError(f"There is no scope {', '.join(unknown)}. There are: {', '.join(outside.scopes())}")
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        try:
            secret, key = await outside.make_key(
                running, program, source=source, name=name, scopes=scopes, mode="sandbox"
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    screen.result({"key": secret, **_as_json(key)}, lambda out: out.print(secret, markup=False))


def _as_json(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "program": key.program,
        "source": key.source,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": format_instant(key.created_at),
        "revoked_at": None if key.revoked_at is None else format_instant(key.revoked_at),
    }


@key_group.command("list")
@program_option
@json_option
@pass_outside
def list_command(outside: Outside, *, program: str | None, as_json: bool) -> None:
    """List a program's keys: what is known of them, not the keys themselves."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_list(outside, screen, program))


async def _list(outside: Outside, screen: Screen, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        keys = await keys_of(running.database, await program_of(running.database, given))
    table = Table("id", "source", "name", "scopes", "created", "revoked", box=None)
    for key in keys:
        revoked = "" if key.revoked_at is None else format_instant(key.revoked_at)
        table.add_row(key.id, key.source, key.name, " ".join(key.scopes), format_instant(key.created_at), revoked)
    screen.result([_as_json(key) for key in keys], lambda out: out.print(table))


@key_group.command("revoke")
@click.argument("id")
@program_option
@json_option
@pass_outside
def revoke_command(outside: Outside, id: str, *, program: str | None, as_json: bool) -> None:
    """Revoke a key by its id; within seconds nothing is accepted with it any more."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_revoke(outside, screen, id, program))


async def _revoke(outside: Outside, screen: Screen, id: str, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        if not await revoke_key(running.database, running.clock, program, id):
            raise No(f"{program} has no key {id} in force.")
    screen.result({"revoked": id}, lambda out: out.print(f"Revoked {id}."))
