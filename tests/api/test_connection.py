"""An answer leaves in one write; what streams, closes or breaks off leaves as it would through uvicorn alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from laurels.api.connection import JoiningProtocol, answered, arrived
from tests.stage import asynchronous

GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = Callable[[Send], Awaitable[None]]


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written after the end"
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nobody reads."""

    def resume_reading(self) -> None:
        """Nobody reads."""


class Connection:
    """A connection whose requests are answered by `answer`."""

    def __init__(self, answer: Answer, kind: type[HttpToolsProtocol] = JoiningProtocol) -> None:
        async def app(_scope: Any, _receive: Any, send: Send) -> None:
            await answer(send)

        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, proxy_headers=False)
        self.wire = Wire()
        self.protocol = kind(config=config, server_state=ServerState(), app_state={})
        self.protocol.connection_made(self.wire)

    async def asked(self, *requests: bytes, turns: int = 8) -> list[bytes]:
        """What is written once these were received, and the loop has turned a few times."""
        for request in requests:
            self.protocol.data_received(request)
        for _ in range(turns):
            await asyncio.sleep(0)
        written, self.wire.written = self.wire.written, []
        self.protocol._unset_keepalive_if_required()
        return written


def start(**headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": pairs}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def hello(send: Send) -> None:
    await send(start(content_length="5"))
    await send(part(b"hello"))


@asynchronous
async def test_answer_leaves_in_one_write_and_the_connection_stays() -> None:
    connection = Connection(hello)
    written = b""
    for _ in range(2):
        (written,) = await connection.asked(GET)
        assert written.startswith(b"HTTP/1.1 200 OK\r\n")
        assert written.endswith(b"\r\n\r\nhello")
        assert not connection.wire.closed
    by_uvicorn = await Connection(hello, HttpToolsProtocol).asked(GET)
    assert len(by_uvicorn) == 2, "otherwise this class has nothing to do"
    assert b"".join(by_uvicorn) == written


@asynchronous
async def test_requests_sent_together_are_answered_in_their_order() -> None:
    count = 0

    async def answer(send: Send) -> None:
        nonlocal count
        count += 1
        await send(start(content_length="1"))
        await send(part(b"%d" % count))

    written = b"".join(await Connection(answer).asked(GET + GET + GET, turns=20))
    assert [each[-1:] for each in written.split(b"HTTP/1.1 200 OK")[1:]] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("request_", [GET.replace(b"GET", b"HEAD"), GET])
@asynchronous
async def test_answer_without_a_body_leaves_too(request_: bytes) -> None:
    async def answer(send: Send) -> None:
        await send(start(content_length="0"))
        await send(part(b""))

    (written,) = await Connection(answer).asked(request_)
    assert written.endswith(b"\r\n\r\n")


@asynchronous
async def test_what_streams_waits_for_nothing_longer_than_a_turn() -> None:
    go_on = asyncio.Event()

    async def answer(send: Send) -> None:
        await send(start())
        await go_on.wait()
        go_on.clear()
        await send(part(b"first", more=True))
        await go_on.wait()
        await send(part(b"last"))

    connection = Connection(answer)
    (head,) = await connection.asked(GET)
    assert head.endswith(b"\r\n\r\n")
    go_on.set()
    assert await connection.asked() == [b"5\r\nfirst\r\n"]
    go_on.set()
    assert await connection.asked() == [b"4\r\nlast\r\n0\r\n\r\n"]


@asynchronous
async def test_who_streams_without_pause_is_held_back_by_a_full_connection() -> None:
    sent = 0

    async def answer(send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(100):
            await send(part(b"x" * 1000, more=True))
            sent += 1
        await send(part(b""))

    connection = Connection(answer)
    write = connection.wire.write

    def fill(data: Any) -> None:
        write(data)
        connection.protocol.pause_writing()

    connection.wire.write = fill  # type: ignore[method-assign]  # the kernel takes no more than one write
    await connection.asked(GET)
    assert sent == 2
    connection.wire.write = write  # type: ignore[method-assign]  # and then it does again
    connection.protocol.resume_writing()
    await connection.asked()
    assert sent == 100


@asynchronous
async def test_last_answer_is_written_before_the_connection_closes() -> None:
    connection = Connection(hello)
    (written,) = await connection.asked(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert b"connection: close" in written
    assert written.endswith(b"hello")
    assert connection.wire.closed


@asynchronous
async def test_what_is_no_request_is_told_so_before_the_connection_closes() -> None:
    connection = Connection(hello)
    (written,) = await connection.asked(b"what?\r\n\r\n")
    assert written.startswith(b"HTTP/1.1 400 ")
    assert connection.wire.closed


@asynchronous
async def test_answer_that_breaks_off_ends_the_connection_behind_what_was_written() -> None:
    async def answer(send: Send) -> None:
        await send(start(content_length="5"))
        raise RuntimeError("a defect")

    connection = Connection(answer)
    (written,) = await connection.asked(GET)
    assert written.endswith(b"\r\n\r\n")
    assert connection.wire.closed


@asynchronous
async def test_nothing_is_written_to_a_connection_that_was_lost() -> None:
    async def answer(send: Send) -> None:
        await send(start(content_length="5"))
        connection.wire.closed = True
        connection.protocol.connection_lost(None)
        await send(part(b"hello"))

    connection = Connection(answer)
    assert await connection.asked(GET) == []


def echoing(*, past_messages: bool) -> Connection:
    """A connection whose requests are echoed, past ASGI's messages or by them."""

    async def echo(scope: Any, receive: Any, send: Send) -> None:
        body = arrived(scope) if past_messages else None
        if body is None:
            message: dict[str, Any] = {"more_body": True}
            body = b""
            while message["more_body"]:
                message = await receive()
                body += message["body"]
        lines = b"content-length: %d\r\n" % len(body)
        if not past_messages or not answered(scope, 200, lines, body):
            await send(start(content_length=str(len(body))))
            await send(part(body))

    connection = Connection(hello)
    connection.protocol.app = echo
    return connection


POST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\n%b\r\nhello"


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n", b"expect: 100-continue\r\n"])
@asynchronous
async def test_an_answer_sent_whole_is_the_one_that_messages_would_have_made(more: bytes) -> None:
    by_messages, past_them = echoing(past_messages=False), echoing(past_messages=True)
    for _ in range(1 if b"close" in more else 2):
        written = [b"".join(await connection.asked(POST % more)) for connection in (by_messages, past_them)]
        assert written[0] == written[1]
        assert written[0].endswith(b"\r\n\r\nhello")
    assert by_messages.wire.closed == past_them.wire.closed == (b"close" in more)
    assert not past_them.protocol.tasks


@asynchronous
async def test_a_body_that_has_not_arrived_is_waited_for() -> None:
    connection = echoing(past_messages=True)
    request = POST % b""
    assert await connection.asked(request[:-2]) == []
    (written,) = await connection.asked(request[-2:])
    assert written.endswith(b"\r\n\r\nhello")


@asynchronous
async def test_requests_sent_together_are_answered_whole_in_their_order() -> None:
    written = b"".join(
        await echoing(past_messages=True).asked((POST % b"") + (POST % b"").replace(b"hello", b"world"), turns=20)
    )
    assert [each[-5:] for each in written.split(b"HTTP/1.1 200 OK")[1:]] == [b"hello", b"world"]


@asynchronous
async def test_an_answer_is_not_sent_whole_to_a_full_or_lost_connection() -> None:
    said: list[bool] = []

    async def app(scope: Any, _receive: Any, _send: Send) -> None:
        connection.protocol.pause_writing()
        said.append(answered(scope, 200, b"content-length: 0\r\n", b""))
        connection.protocol.resume_writing()
        connection.wire.closed = True
        connection.protocol.connection_lost(None)
        said.append(answered(scope, 200, b"content-length: 0\r\n", b""))

    connection = Connection(hello)
    connection.protocol.app = app
    assert await connection.asked(GET) == []
    assert said == [False, False]
    assert arrived({}) is None
    assert not answered({}, 200, b"", b""), "another server's scope"
