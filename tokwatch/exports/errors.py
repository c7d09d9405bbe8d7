"""What an export says when it cannot be made."""

from __future__ import annotations


class ExportError(Exception):
    """The export cannot be made; the text says why and what to do."""
