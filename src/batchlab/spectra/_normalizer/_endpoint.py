"""Where requests go: the address, and whether it may be spoken to at all."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from batchlab.spectra._normalizer._proposal import NormalizationError
from batchlab.spectra._normalizer._settings import AiSettings

__all__ = ["Endpoint", "endpoint_of", "is_loopback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address that chat completions are asked of."""

    scheme: str
    host: str
    port: int | None
    path: str
    local: bool

    def __str__(self) -> str:
        """The address as one writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}{self.path}"


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine: ``localhost``, 127.0.0.0/8, ``::1``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def endpoint_of(settings: AiSettings) -> Endpoint:
    """Say where requests go.

    Raises
    ------
    NormalizationError
        Reason ``not-set-up``: no address or model; ``not-allowed``: another machine that nobody has named, or
        one whose key would cross the network unencrypted.
    """
    if not settings.url or not settings.model:
        raise NormalizationError(
            "no AI is set up; set BATCHLAB_AI_URL and BATCHLAB_AI_MODEL to ask one", reason="not-set-up"
        )
    try:
        parts = urlsplit(settings.url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.query:
        raise NormalizationError(
            "BATCHLAB_AI_URL is no address of an AI; write one such as http://127.0.0.1:11434/v1",
            reason="not-set-up",
        )
    local = is_loopback(host)
    if not local and host not in {each.lower() for each in settings.allow_host}:
        raise NormalizationError(
            f"{host} is another machine, and nothing is sent to it before you say so; to allow it, set "
            f"BATCHLAB_AI_ALLOW_HOST={host} (--ai-show prints what would be sent)",
            reason="not-allowed",
        )
    if not local and parts.scheme == "http" and settings.key is not None:
        raise NormalizationError(
            f"the key for {host} would cross the network unencrypted; use an https address", reason="not-allowed"
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path += "/chat/completions"
    return Endpoint(scheme=parts.scheme, host=host, port=port, path=path, local=local)
