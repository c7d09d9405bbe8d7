"""The screen that a dashboard leaves in the store for the first sight of the next one, and the Snapshot behind it."""

from __future__ import annotations

import base64
import binascii
import zlib
from pathlib import Path

import msgspec

from tokwatch.first_sight.kept import LARGEST
from tokwatch.first_sight.lookup import kept_snapshot, likely_store
from tokwatch.ledger.snapshot import SCHEMA, Snapshot, canonical_json, decode_snapshot

_LARGEST_JSON = 4 << 20


def keep_screen(store: Path, frame: str, snapshot: Snapshot) -> None:
    """Nothing where this user may not write, or of a Snapshot that is too large. Raises StoreError."""
    from tokwatch.store.location import may_record_into
    from tokwatch.store.meta import keep_screen as write
    from tokwatch.store.telling import telling

    packed = base64.b64encode(zlib.compress(canonical_json(snapshot))).decode()
    if len(packed) <= LARGEST and may_record_into(store):
        with telling(store) as connection:
            write(connection, frame, packed)


def last_known(named: Path | None) -> Snapshot | None:
    """What was on screen when first sight's frame was kept; None: nothing is, or not in a shape of this version."""
    packed = kept_snapshot(likely_store(None if named is None else str(named)))
    if packed is None:
        return None
    try:
        inflated = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _LARGEST_JSON)
        found = decode_snapshot(inflated)
    except (binascii.Error, zlib.error, msgspec.DecodeError):  # ValidationError is one too
        return None
    return found if found.schema == SCHEMA else None
