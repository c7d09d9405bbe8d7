"""One frame: the tallies of all hosts at a moment ↔ one packed row, column by column."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import fields

from tokwatch.ledger.fleet.tally import HostTally, TrendPoint
from tokwatch.store.errors import StoreError

FINE_MS: Final = 10_000
COARSE_MS: Final = 60_000
_LEVEL: Final = 1  # a sixth larger than 6, in a quarter of its time
_MOST_BYTES: Final = 64 << 20

# Columns of one field stand together: that packs to half of what the hosts one after another do.
_Columns: Final = msgspec.defstruct(
    "_Columns",
    [(each.name, list[each.type], msgspec.field(default_factory=list)) for each in fields(HostTally)],  # type: ignore[name-defined]
)
_decoder: Final[msgspec.msgpack.Decoder[Any]] = msgspec.msgpack.Decoder(_Columns)


class Frame(msgspec.Struct, frozen=True):
    """All hosts at `at_ms`; sums are over `grain_ms` before it."""

    at_ms: int
    grain_ms: int
    hosts: tuple[HostTally, ...]
    trend: TrendPoint


def packed(hosts: Sequence[HostTally]) -> bytes:
    columns = {name: [getattr(host, name) for host in hosts] for name in HostTally.__struct_fields__}
    return zlib.compress(msgspec.msgpack.encode(columns), _LEVEL)


def unpacked(body: bytes) -> tuple[HostTally, ...]:
    """Raises StoreError for a body that does not hold a frame. Fields of a later tokwatch are left out."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(body, _MOST_BYTES)
        columns = _decoder.decode(data)
        names = [name for name in HostTally.__struct_fields__ if getattr(columns, name)]
        rows = zip(*(getattr(columns, name) for name in names), strict=True)
        return tuple(HostTally(**dict(zip(names, row, strict=True))) for row in rows)
    except (zlib.error, msgspec.DecodeError, ValueError, TypeError) as error:
        raise StoreError(
            f"a frame of the fleet is damaged: {error}; check it with `tokwatch doctor --store`"
        ) from error
