"""HTTP connections: uvicorn's, with the head and the body of an answer leaving in one write.

uvicorn writes the two apart and the event loop hands each to the kernel at once, which is dearer than anything else
that is done for a small answer. Here a write waits for the one that follows it, no longer than the turn of the loop
lasts, and leaves together with it. No more than one write ever waits, so back pressure reaches whoever streams.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Joining:
    """A transport as far as uvicorn uses it to answer: writes go out in pairs, and before the end of the turn."""

    __slots__ = ("_call_soon", "_held", "_transport", "get_extra_info", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held = b""
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info

    def write(self, data: bytes) -> None:
        """Keeps the data for the next write, or sends what was kept together with them."""
        held = self._held
        if held:
            self._held = b""
            self._transport.writelines((held, data) if data else (held,))
        elif data:
            self._held = data
            self._call_soon(self.flush)

    def flush(self) -> None:
        """Sends what is kept."""
        held, self._held = self._held, b""
        # A connection that was lost in the meantime takes nothing any more.
        if held and not self.is_closing():
            self._transport.write(held)

    def close(self) -> None:
        """Closes the connection behind everything that was written."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._held = b""
        self._transport.abort()


class JoiningProtocol(HttpToolsProtocol):
    """uvicorn's protocol, writing through a `Joining` transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Begins on a new connection; reading and flow control stay with the transport itself."""
        super().connection_made(transport)
        joining: Any = Joining(transport, self.loop)
        self.transport = joining
