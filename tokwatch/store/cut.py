"""What a file says of itself that was cut from a store for others: one row of `meta`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tokwatch.store.errors import StoreError

CUT_KEY: Final = "cut"


class Cut(msgspec.Struct, frozen=True):
    """Of which range, by whom, and what was done to it. The range itself is the file's named session."""

    id: str  # the same names stand for the same things in files of one id only
    made_by: str  # "tokwatch 0.1.0"
    made_ms: int
    from_ms: int  # what is offered: (from_ms, to_ms]
    to_ms: int
    whole_from_ms: int  # ticks are as they were recorded from then on; before it only states are told
    names_replaced: bool
    prices: bool


def read_cut(meta: Mapping[str, str]) -> Cut | None:
    """None for a store that was not cut. Raises StoreError where what it says is damaged."""
    told = meta.get(CUT_KEY)
    if told is None:
        return None
    try:
        return msgspec.json.decode(told, type=Cut)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the file does not say how it was cut: {error}") from error
