"""What makes a config unusable."""

from __future__ import annotations


class ConfigError(Exception):
    """The config cannot be used; the message says where and what to do."""
