"""What an installation chooses: read once from the environment at start, checked as a whole, then handed around.

Every setting is an environment variable LAURELS_<NAME>; `docs/settings.md` lists them from the table here. What is
not set has a default with which a newcomer's machine works and nothing is reachable from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta

PREFIX: Final = "LAURELS_"

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process."""

    database_url: Annotated[str, Meta(description="PostgreSQL to use; empty: the embedded server.")] = ""
    data_directory: Annotated[str, Meta(description="Where the embedded server keeps its data.")] = "var/postgres"
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8100
    processes: Annotated[Count, Meta(description="Processes that serve HTTP.")] = 1
    lanes: Annotated[Count, Meta(description="Lanes of the intake in each process.")] = 2
    batch_most: Annotated[Count, Meta(description="Activities in one transaction.")] = 500
    waiting_most: Annotated[Count, Meta(description="Activities that may wait before 503 is answered.")] = 20_000
    pool_connections: Annotated[Count, Meta(description="Database connections besides the lanes'.")] = 8
    body_bytes_most: Annotated[int, Meta(ge=1024, le=1 << 30, description="Bytes in a request's body.")] = 8 << 20
    body_seconds: Annotated[Count, Meta(description="Seconds in which a request's body must arrive.")] = 30
    connections_most: Annotated[Count, Meta(description="Connections at a time; more are answered with 503.")] = 2_000
    idle_seconds: Annotated[Count, Meta(description="Seconds that an idle connection is kept.")] = 15
    key_cache_seconds: Annotated[Count, Meta(description="Seconds until a revoked key stops working.")] = 5
    metrics: Annotated[
        Literal["open", "off"], Meta(description="Whether /metrics answers. It names no program and no member.")
    ] = "open"
    worker: Annotated[
        Literal["inside", "apart"], Meta(description="Whether `serve` runs the worker too, or `laurels worker` does.")
    ] = "inside"
    worker_seconds: Annotated[Count, Meta(description="Seconds between two looks for what is due.")] = 5
    log_format: Annotated[Literal["json", "text"], Meta(description="How log lines are written.")] = "json"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least level that is written.")
    ] = "info"

    @property
    def postgres_directory(self) -> Path:
        """Where the embedded server keeps its data."""
        return Path(self.data_directory)


class WrongSettings(Exception):  # noqa: N818 - the message is for people, and reads so
    """Environment variables that cannot be read, all of them at once."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("The environment cannot be used:\n" + "\n".join(f"- {finding}" for finding in findings))
        self.findings = findings


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment states; WrongSettings with everything that is wrong in it."""
    types = get_type_hints(Settings, include_extras=True)
    values: dict[str, object] = {}
    findings: list[str] = []
    for name, kind in types.items():
        text = environment.get(variable_of(name))
        if text is None:
            continue
        try:
            values[name] = msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError as error:
            findings.append(f"{variable_of(name)}: {error}")
    if findings:
        raise WrongSettings(tuple(findings))
    return msgspec.convert(values, Settings)


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def described() -> tuple[tuple[str, str, str], ...]:
    """Every setting for the documentation: variable, default, what it means."""
    defaults = Settings()
    return tuple(
        (variable_of(name), str(getattr(defaults, name)), _description(kind))
        for name, kind in get_type_hints(Settings, include_extras=True).items()
    )


def _description(kind: object) -> str:
    metas: tuple[object, ...] = getattr(kind, "__metadata__", ())
    return next((meta.description for meta in reversed(metas) if isinstance(meta, Meta) and meta.description), "")
