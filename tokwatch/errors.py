"""Failures a user can act on: told in one line on stderr, never as a traceback."""

from tokwatch.config import ConfigError
from tokwatch.exports.errors import ExportError
from tokwatch.feeds.pages import PagesError
from tokwatch.store.errors import StoreError


class CommandError(Exception):
    """A command cannot be done as asked; the message says what to do."""


EXPECTED: tuple[type[Exception], ...] = (CommandError, ConfigError, ExportError, PagesError, StoreError)
