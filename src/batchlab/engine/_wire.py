"""Frames of plain data over a socket that belongs to one worker alone.

The only pickles of batchlab cross these sockets, between processes of one user; they hold nothing but
builtin types. A frame that is cut short (its writer was killed) is never decoded.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

_HEAD = struct.Struct("!I")
_CHUNK = 1 << 18


class Torn(Exception):
    """The other side is gone; nothing more can be trusted."""


def encode(message: tuple[Any, ...]) -> bytes:
    """One frame."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _HEAD.pack(len(body)) + body


class Wire:
    """One end of a worker's socket."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._in = bytearray()
        self._out = bytearray()

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self.socket.fileno()

    # The worker's side: blocking.

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a frame whole, waiting as long as it takes."""
        self.socket.sendall(encode(message))

    def receive(self) -> Any:
        """Wait for the next frame; raises Torn when the other side is gone."""
        while (frame := self._next()) is None:
            try:
                data = self.socket.recv(_CHUNK)
            except ConnectionError as error:
                raise Torn from error
            if not data:
                raise Torn
            self._in += data
        return frame

    # The runner's side: never blocks, whatever a stopped or dying worker does.

    def put(self, message: tuple[Any, ...]) -> None:
        """Add a frame to those that the next `flush` sends."""
        self._out += encode(message)

    def flush(self) -> bool:
        """Send more of what waits; True when nothing is left."""
        while self._out:
            try:
                sent = self.socket.send(self._out, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:
                self._out.clear()  # the worker is gone: its end is told by the reading side
                return True
            del self._out[:sent]
        return True

    def drain(self) -> Iterator[Any]:
        """Yield every whole frame that has arrived; raises Torn at the end of the stream."""
        torn = False
        while True:
            try:
                data = self.socket.recv(_CHUNK, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                torn = True
                break
            if not data:
                torn = True
                break
            self._in += data
            if len(data) < _CHUNK:
                break
        while (frame := self._next()) is not None:
            yield frame
        if torn:
            raise Torn

    def _next(self) -> Any | None:
        if len(self._in) < _HEAD.size:
            return None
        (length,) = _HEAD.unpack_from(self._in)
        end = _HEAD.size + length
        if len(self._in) < end:
            return None
        body = bytes(memoryview(self._in)[_HEAD.size : end])
        del self._in[:end]
        return pickle.loads(body)

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
