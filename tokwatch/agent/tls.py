"""TLS of the listening side: the agent's certificate and key."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from tokwatch.agent.errors import AgentError


def serving(cert: Path, key: Path) -> ssl.SSLContext:
    """The listening side. Raises AgentError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # a reader stays connected: nothing is won by resuming, and the key is used as it should be
    try:
        if key.stat().st_mode & stat.S_IROTH:
            raise AgentError(f"everybody on this machine may read the key {key}: chmod 600 it")
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        raise AgentError(f"{cert} and {key} are no certificate and its key: {error.reason or error}") from None
    except OSError as error:
        raise AgentError(f"cannot read {error.filename or f'{cert} or {key}'}: {error.strerror}") from None
    return context


def _no_password() -> str:
    raise AgentError("the TLS key has a passphrase, which nobody can type in here: use one without")
