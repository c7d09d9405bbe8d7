"""What the store says when it cannot do its work."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be opened, read or written; the text says where, why and what to do."""
