"""HTTP connections: uvicorn's, with the head and the body of an answer leaving in one write.

uvicorn writes the two apart and the event loop hands each to the kernel at once, which is dearer than anything else
that is done for a small answer. Here both wait for the end of the loop's turn. There the answers of a batch leave one
after another, and wake whoever waits for them once instead of once for each. No more than two writes of a connection
ever wait, so back pressure reaches whoever streams.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HELD_MOST: Final = 2
"""A head and a body."""


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
