"""One HTTP request to a chat-completions endpoint, within a time that holds whatever the server does.

It follows no redirect, for that could lead off the machine, and it sends the very bytes it is given: so what
``--ai-show`` prints is what is sent.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from batchlab.spectra._normalizer._endpoint import Endpoint
from batchlab.spectra._normalizer._proposal import NormalizationError

__all__ = ["Reply", "post"]

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back.

    Attributes
    ----------
    status
        The HTTP status.
    retry_after
        The header of that name, as sent.
    body
        The JSON object; empty where the body was none.
    """

    status: int
    retry_after: str | None
    body: dict[str, Any]

    @property
    def error(self) -> str:
        """The server's own words for what went wrong, cut to a line."""
        error = self.body.get("error")
        text = error.get("message") if isinstance(error, dict) else error
        return " ".join(str(text or "").split())[:300]


def post(endpoint: Endpoint, body: bytes, *, key: str | None, timeout_s: float) -> Reply:
    """Send a request and read the whole reply.

    Parameters
    ----------
    endpoint
        Where to.
    body
        The bytes to send.
    key
        The secret, if the endpoint wants one.
    timeout_s
        The time for all of it, in seconds: a server that keeps sending a byte now and then is cut off, too.

    Raises
    ------
    NormalizationError
        Reason ``timeout`` or ``unreachable``.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "batchlab"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection = _connection(endpoint, timeout_s)
    late = threading.Event()
    begun = time.monotonic()
    with contextlib.closing(connection):
        try:
            connection.connect()
            with _cut_off(connection.sock, late, timeout_s - (time.monotonic() - begun)):
                connection.request("POST", endpoint.path, body=body, headers=headers)
                response = connection.getresponse()
                text = response.read(_MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise _too_slow(endpoint, timeout_s) from error
            raise NormalizationError(
                f"{endpoint.host} cannot be reached ({type(error).__name__}: {error}); is the server running there?",
                reason="unreachable",
            ) from error
    if late.is_set():
        raise _too_slow(endpoint, timeout_s)
    return Reply(status=response.status, retry_after=response.getheader("Retry-After"), body=_object(text))


def _too_slow(endpoint: Endpoint, timeout_s: float) -> NormalizationError:
    return NormalizationError(
        f"{endpoint.host} has not answered within {timeout_s:.3g} s; a larger BATCHLAB_AI_TIMEOUT gives it more time",
        reason="timeout",
    )


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text) if len(text) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {}


def _connection(endpoint: Endpoint, timeout_s: float) -> http.client.HTTPConnection:
    if endpoint.scheme == "http":
        return http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=timeout_s)
    context = ssl.create_default_context()
    proxy = None if endpoint.local else _proxy(endpoint.host)
    if proxy is None:
        return http.client.HTTPSConnection(endpoint.host, endpoint.port, timeout=timeout_s, context=context)
    connection = http.client.HTTPSConnection(proxy[0], proxy[1], timeout=timeout_s, context=context)
    connection.set_tunnel(endpoint.host, endpoint.port)
    return connection


def _proxy(host: str) -> tuple[str, int | None] | None:
    """The proxy that this system uses for https, if any; it carries encrypted bytes only."""
    address = urllib.request.getproxies().get("https")
    if not address or urllib.request.proxy_bypass(host):
        return None
    parts = urlsplit(address if "//" in address else f"//{address}")
    return (parts.hostname, parts.port) if parts.hostname else None


@contextlib.contextmanager
def _cut_off(sock: socket.socket, late: threading.Event, timeout_s: float) -> Iterator[None]:
    """Shut the connection when its time is over: a socket's own timeout starts anew with each byte."""

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            # The plain socket's own, below any encryption: the reader wakes with an end of file.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, timeout_s), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
