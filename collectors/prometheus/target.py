"""Which server is asked and how: address, log-in, trust and limits. Settings only; secrets are named, never held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from collectors.credential import Credential, Origin

DEADLINE_S = 30.0  # p95 over the buckets of 1000 hosts took VictoriaMetrics 1 s when busy; a day of them takes longer
MAX_REPLY_BYTES = 64 * 2**20  # unpacked; 8000 GPUs' power with all labels is 2.5 MB
MAX_AT_ONCE = 3  # Prometheus itself runs 20 at once, for everybody


@dataclass(frozen=True, slots=True)
class PrometheusTarget:
    """A Prometheus, VictoriaMetrics, Mimir or Thanos.

    `url` is the base URL with any path prefix: what comes before /api/v1. Files are read again at each query, so that
    a token or certificate that was renewed holds from then on. Raises ValueError for what is no such URL.
    """

    url: str
    credential: Credential | None = None  # of the URL's own origin
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a tenant: X-Scope-OrgID, THANOS-TENANT
    header_files: Mapping[str, Path] = field(default_factory=dict)  # headers whose values are secrets
    cert_file: Path | None = None  # PEM: the client's certificate
    key_file: Path | None = None  # PEM, without a passphrase; None: it is in cert_file
    insecure: bool = False  # no certificate is checked: anybody between may answer, and read the log-in
    timeout_s: float = DEADLINE_S  # the server is told; our own deadline is a little later
    max_reply_bytes: int = MAX_REPLY_BYTES
    max_at_once: int = MAX_AT_ONCE

    def __post_init__(self) -> None:
        origin = Origin.of(self.url)
        parts = urlsplit(self.url)
        if parts.query or parts.fragment:
            raise ValueError("the base URL ends before any ? or #")
        if self.credential is not None and self.credential.origin != origin:
            raise ValueError("a credential is good for its own origin alone")
        object.__setattr__(self, "url", f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}")

    @property
    def where(self) -> str:
        """Host, port and prefix, for words."""
        return self.url.partition("://")[2]

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should be told about the settings."""
        if self.insecure and self.url.startswith("https:"):
            return (f"{self.where}: certificates are not checked (insecure): anybody between may answer",)
        return ()
