"""HTTP connections: uvicorn's, with the head and the body of an answer leaving in one write.

uvicorn writes the two apart and the event loop hands each to the kernel at once, which is dearer than anything else
that is done for a small answer. Here both wait for the end of the loop's turn. There the answers of a batch leave one
after another, and wake whoever waits for them once instead of once for each. No more than two writes of a connection
ever wait, so back pressure reaches whoever streams.

What is whole need not pass through ASGI's messages, which cost as much as parsing it: `arrived` takes a request's body,
`answered` sends its answer. Both say when that cannot be, and ASGI's way is always open.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

HELD_MOST: Final = 2
"""A head and a body."""

_CYCLE: Final = "laurels.cycle"


def arrived(scope: MutableMapping[str, Any]) -> bytes | None:
    """The whole body of a request, this once; None where it is on its way, or the connection is none of these."""
    cycle: RequestResponseCycle | None = scope.get(_CYCLE)
    if cycle is None or cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected:
        return None
    body, cycle.body = bytes(cycle.body), bytearray()
    return body


def answered(scope: MutableMapping[str, Any], status: int, headers: bytes, body: bytes) -> bool:
    """Whether the answer to a request, which is no HEAD, was sent whole; if not, nothing of it was.

    `headers` are lines that say how long the body is and nothing of the connection.
    """
    cycle: RequestResponseCycle | None = scope.get(_CYCLE)
    if cycle is None or cycle.disconnected or cycle.response_started or cycle.flow.write_paused:
        return False
    cycle.response_started = cycle.response_complete = True
    head = [STATUS_LINE[status]]
    for name, value in cycle.default_headers:
        head += (name, b": ", value, b"\r\n")
    head.append(headers)
    head.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
    cycle.transport.write(b"".join(head))
    cycle.transport.write(body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


class Joining:
    """A transport as far as uvicorn uses it to answer: writes go out together, at the end of the turn."""

    __slots__ = ("_call_soon", "_held", "_transport", "get_extra_info", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held: list[bytes] = []
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info

    def write(self, data: bytes) -> None:
        """Keeps the data until the turn ends, or until there is more than a head and a body."""
        held = self._held
        if not held:
            self._call_soon(self.flush)
        held.append(data)
        if len(held) > HELD_MOST:
            self.flush()

    def flush(self) -> None:
        """Sends what is kept."""
        held, self._held = self._held, []
        # A connection that was lost in the meantime takes nothing any more.
        if held and not self.is_closing():
            self._transport.write(b"".join(held))

    def close(self) -> None:
        """Closes the connection behind everything that was written."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._held = []
        self._transport.abort()


class JoiningProtocol(HttpToolsProtocol):
    """uvicorn's protocol, writing through a `Joining` transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Begins on a new connection; reading and flow control stay with the transport itself."""
        super().connection_made(transport)
        joining: Any = Joining(transport, self.loop)
        self.transport = joining

    def on_headers_complete(self) -> None:
        """Begins a request, and lets its scope lead back to it."""
        super().on_headers_complete()
        self.scope[_CYCLE] = self.cycle  # type: ignore[typeddict-unknown-key]  # ASGI lets a server add keys of its own
