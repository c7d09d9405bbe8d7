"""How to log in to an endpoint of the config. Secrets are named here, never held."""

from __future__ import annotations

from pathlib import Path

from collectors.credential import Credential, Origin
from tokwatch.config.endpoints import Endpoint
from tokwatch.config.errors import ConfigError


def credential_of(section: Endpoint) -> Credential | None:
    """None where there is nothing to log in with and no CA of its own. Raises ConfigError for what is no address."""
    try:
        origin = Origin.of(section.url)
    except ValueError as error:
        raise ConfigError(f"servers, meters or notify: {error}") from error  # without the URL: it may hold a password
    ca_file = None if section.ca_file is None else Path(section.ca_file).expanduser()
    if section.user is not None:
        return Credential(origin, "basic", section.user, _path(section.password_file), section.password_env, ca_file)
    if section.token_file is not None or section.token_env is not None:
        return Credential(origin, "bearer", "", _path(section.token_file), section.token_env, ca_file)
    return None if ca_file is None else Credential(origin, ca_file=ca_file)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()
