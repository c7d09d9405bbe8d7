"""What a config that is not accepted says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokwatch.config import ConfigError, parse


def refused(text: str, directory: Path = Path()) -> str:
    """The message, after "config.toml:"."""
    with pytest.raises(ConfigError) as error:
        parse(text, "config.toml", directory)
    return str(error.value).removeprefix("config.toml:")
