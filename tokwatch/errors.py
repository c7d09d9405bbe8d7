"""Failures a user can act on: told in one line on stderr, never as a traceback."""

from collectors.prometheus.query_error import QueryError
from tokwatch.config import ConfigError
from tokwatch.exports.errors import ExportError
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.pages import PagesError
from tokwatch.store.errors import StoreError


class CommandError(Exception):
    """A command cannot be done as asked; the message says what to do."""


class UsageError(CommandError):
    """It was asked in a way that cannot be meant: exit code 2, as for a flag that does not exist."""


EXPECTED: tuple[type[Exception], ...] = (
    *(CommandError, ConfigError, ExportError, PagesError, StoreError),
    *(QueryError, SourceError),
)
