"""What is said where no connection comes about: the server, the reason and the variable, and never the password."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from laurels.store.connecting import UnreachableDatabase, connect
from laurels.store.database import Database
from laurels.store.migrate import migrate
from tests.stage import asynchronous


def free_port() -> int:
    """A port at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def said(url: str) -> str:
    with pytest.raises(UnreachableDatabase) as refused:
        asyncio.run(connect(url))
    return str(refused.value)


def test_server_that_does_not_answer_is_named_with_the_variable_and_without_the_password() -> None:
    port = free_port()
    message = said(f"postgresql://engine:hush-hush@127.0.0.1:{port}/loyalty")
    assert message.startswith(f"PostgreSQL at 127.0.0.1, port {port} (database loyalty), cannot be reached: ")
    assert "LAURELS_DATABASE_URL" in message
    assert "hush" not in message


def test_whoever_connects_first_says_so() -> None:
    url = f"postgresql://engine:hush-hush@127.0.0.1:{free_port()}/loyalty"
    openings: tuple[Coroutine[Any, Any, object], ...] = (migrate(url), Database.open(url))
    for opening in openings:
        with pytest.raises(UnreachableDatabase, match=r"127\.0\.0\.1"):
            asyncio.run(opening)


def test_host_that_does_not_exist_and_socket_that_is_not_there_are_named() -> None:
    assert "PostgreSQL at nowhere.invalid, port 5433 (database x), cannot" in said(
        "postgresql://engine:hush@nowhere.invalid:5433/x"
    )
    assert "PostgreSQL at /nowhere/at all, port 5432 (database x), cannot" in said(
        "postgresql://engine:hush@/x?host=/nowhere/at%20all"
    )


def test_list_of_servers_is_called_one() -> None:
    url = f"postgresql://me:hush@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/x"
    assert said(url).startswith("The servers that LAURELS_DATABASE_URL lists, cannot be reached: ")
    assert "hush" not in said(url)


@pytest.mark.parametrize("url", ["postgresql://me:hush/hush@host/x", "postgresql://me:hush@[::1/x", "hush"])
def test_what_is_no_url_is_not_repeated(url: str) -> None:
    message = said(url)
    assert "LAURELS_DATABASE_URL" in message
    assert "hush" not in message


@asynchronous
async def test_database_that_does_not_exist_is_named(laurels_url: str) -> None:
    missing = laurels_url.replace("/test_", "/no_test_")
    with pytest.raises(UnreachableDatabase, match=r"\(database no_test_\d+\), refuses the login: .*does not exist"):
        await connect(missing)
    await (await connect(laurels_url)).close()
