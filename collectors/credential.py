"""Log-ins: what an origin is, and a secret that is read at each use and never leaves its origin."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from collectors.scrape_error import Failure, ScrapeError


@dataclass(frozen=True, slots=True)
class Origin:
    """What a credential is good for: scheme, host and port, all three."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of `url`. Raises ValueError unless it is http(s) with a host and without user or password."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError("only http and https URLs can be read")
        if not parts.hostname:
            raise ValueError("the URL names no host")
        if "@" in parts.netloc:
            raise ValueError("no user or password in a URL: name a password file or variable instead")
        return cls(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


@dataclass(frozen=True, slots=True)
class Credential:
    """How to log in to one origin, and whom to trust as it.

    The secret itself is read from `file` or from the environment variable named `env` at each use and kept nowhere.
    """

    origin: Origin
    login: Literal["none", "bearer", "basic"] = "none"
    username: str = ""  # basic only
    file: Path | None = None
    env: str | None = None
    ca_file: Path | None = None  # trust this CA instead of the system's

    def authorization(self) -> str | None:
        """The Authorization header. Raises ScrapeError, without the secret in it, when the secret cannot be used."""
        if self.login == "none":
            return None
        secret = self._secret()
        if not secret or not secret.isprintable() or not secret.isascii():
            problem = f"{self._place()} holds no usable secret: it must be one line of printable ASCII"
            raise ScrapeError(problem, Failure.SETTING)
        if self.login == "bearer":
            return f"Bearer {secret}"
        return "Basic " + base64.b64encode(f"{self.username}:{secret}".encode()).decode()

    def _secret(self) -> str:
        if self.file is None:
            return os.environ.get(self.env or "", "").strip()
        try:
            return self.file.read_bytes().decode("ascii", "replace").strip()
        except OSError as error:
            raise ScrapeError(f"cannot read {self._place()}: {error.strerror}", Failure.SETTING) from None

    def _place(self) -> str:
        return f"the secret file {self.file}" if self.file else f"the environment variable {self.env}"
