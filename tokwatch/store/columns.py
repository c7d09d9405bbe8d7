"""Columns of integers as bytes: each in as few as its own shape needs, all of them one zlib stream. Pure.

A column is constant, or offsets from its least value, or steps from one row to the next above the least step; those
stand in 1, 2, 4 or 8 bytes, all first bytes before all second ones, so that zlib sees the high ones repeat. What is
unknown has a bit and no bytes. After the columns follows a tail of plain bytes, for what is no number.

Of 20 columns of a GPU a value takes about 1.2 bytes like this, and zstd in zlib's place would save nothing.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import sub
from typing import Final

INFLATED_AT_MOST: Final = 64 << 20  # of one body: a file from elsewhere may hold anything
ROWS_AT_MOST: Final = 1 << 16

_LEVEL: Final = 6
_CONSTANT, _OFFSETS, _STEPS = 0, 1, 2
_WIDTH_SHIFT: Final = 2
_HAS_UNKNOWN: Final = 0x10
_UNKNOWN: Final = 0x20
_TYPES: Final = ("B", "H", "I", "Q")
_WIDTHS: Final = (1, 2, 4, 8)
_ONE: Final = struct.Struct("<q")
_TWO: Final = struct.Struct("<qq")

Column = Sequence[int | None]


class DamagedError(Exception):
    """Bytes that no `pack` made."""


def pack(columns: Sequence[Column], tail: bytes = b"") -> bytes:
    """Columns of one length, each value within 64 bits. Raises ValueError for more rows than ROWS_AT_MOST."""
    parts: list[bytes] = []
    for column in columns:
        if len(column) > ROWS_AT_MOST:
            raise ValueError(f"a chunk holds at most {ROWS_AT_MOST} rows, not {len(column)}")
        _encode(column, parts)
    parts.append(tail)
    return zlib.compress(b"".join(parts), _LEVEL)


class Columns:
    """Columns of a packed body, decoded when they are asked for. Raises DamagedError for what `pack` did not make."""

    def __init__(self, body: bytes, rows: int, columns: int) -> None:
        if not 0 < rows <= ROWS_AT_MOST:
            raise DamagedError(f"{rows} rows")
        self._rows = rows
        inflater = zlib.decompressobj()
        try:
            self._bytes = inflater.decompress(body, INFLATED_AT_MOST)
        except zlib.error as error:
            raise DamagedError(str(error)) from error
        if inflater.unconsumed_tail or not inflater.eof:
            raise DamagedError(f"not one whole stream of at most {INFLATED_AT_MOST} bytes")
        self._starts = [0]
        for _ in range(columns):
            self._starts.append(self._end(self._starts[-1]))

    def __getitem__(self, place: int) -> list[int] | list[int | None]:
        return _decode(self._bytes[self._starts[place] : self._starts[place + 1]], self._rows)

    @property
    def tail(self) -> bytes:
        return self._bytes[self._starts[-1] :]

    def _end(self, start: int) -> int:
        if start >= len(self._bytes):
            raise DamagedError("a column is missing")
        tag = self._bytes[start]
        if tag & _UNKNOWN:
            return start + 1
        kind, width, known, end = tag & 3, _WIDTHS[tag >> _WIDTH_SHIFT & 3], self._rows, start + 1
        if tag & _HAS_UNKNOWN:
            mask = self._bytes[end : end + _mask_bytes(self._rows)]
            known = int.from_bytes(mask, "little").bit_count()
            end += _mask_bytes(self._rows)
        if kind == _CONSTANT:
            end += _ONE.size
        elif kind == _OFFSETS:
            end += _ONE.size + known * width
        else:
            end += _TWO.size + (known - 1) * width
        if end > len(self._bytes) or kind > _STEPS or known > self._rows or not known:
            raise DamagedError("a column does not fit its bytes")
        return end


def _encode(column: Column, parts: list[bytes]) -> None:
    known = [value for value in column if value is not None]
    if not known:
        parts.append(bytes((_UNKNOWN,)))
        return
    tag, mask = 0, b""
    if len(known) < len(column):
        tag = _HAS_UNKNOWN
        bits = sum(1 << row for row, value in enumerate(column) if value is not None)
        mask = bits.to_bytes(_mask_bytes(len(column)), "little")
    least = min(known)
    if least == max(known):
        parts += (bytes((tag | _CONSTANT,)), mask, _ONE.pack(least))
        return
    offsets = [value - least for value in known]
    steps = list(map(sub, known[1:], known))
    least_step = min(steps)
    above = [step - least_step for step in steps]
    kind, head, numbers = _OFFSETS, _ONE.pack(least), offsets
    small = -1 << 63 <= least_step < 1 << 63 and max(above) < 1 << 64
    if small and sum(map(int.bit_length, above)) < sum(map(int.bit_length, offsets)):
        kind, head, numbers = _STEPS, _TWO.pack(known[0], least_step), above
    place = _width(max(numbers))
    parts += (bytes((tag | kind | place << _WIDTH_SHIFT,)), mask, head, _planes(numbers, place))


def _decode(column: bytes, rows: int) -> list[int] | list[int | None]:
    tag, at = column[0], 1
    if tag & _UNKNOWN:
        nothing: list[int | None] = [None] * rows
        return nothing
    mask: int | None = None
    if tag & _HAS_UNKNOWN:
        mask = int.from_bytes(column[at : at + _mask_bytes(rows)], "little")
        at += _mask_bytes(rows)
    known = rows if mask is None else mask.bit_count()
    kind, place = tag & 3, tag >> _WIDTH_SHIFT & 3
    if kind == _CONSTANT:
        values = list(_ONE.unpack_from(column, at)) * known
    elif kind == _OFFSETS:
        (least,) = _ONE.unpack_from(column, at)
        numbers = _numbers(column[at + _ONE.size :], known, place)
        values = [number + least for number in numbers] if least else numbers
    else:
        first, least_step = _TWO.unpack_from(column, at)
        numbers = _numbers(column[at + _TWO.size :], known - 1, place)
        values = list(accumulate((number + least_step for number in numbers), initial=first))
    if mask is None:
        return values
    found = iter(values)
    return [next(found) if mask >> row & 1 else None for row in range(rows)]


def _mask_bytes(rows: int) -> int:
    return (rows + 7) // 8


def _width(largest: int) -> int:
    """Place in _TYPES of the narrowest type that holds it."""
    return next(place for place, width in enumerate(_WIDTHS) if largest < 1 << 8 * width)


def _planes(numbers: list[int], place: int) -> bytes:
    plain = array(_TYPES[place], numbers)
    if sys.byteorder == "big":
        plain.byteswap()
    data, width = plain.tobytes(), _WIDTHS[place]
    return b"".join(data[byte::width] for byte in range(width))


def _numbers(planes: bytes, count: int, place: int) -> list[int]:
    width = _WIDTHS[place]
    data = bytearray(len(planes))
    for byte in range(width):
        data[byte::width] = planes[byte * count : (byte + 1) * count]
    plain = array(_TYPES[place], bytes(data))
    if sys.byteorder == "big":
        plain.byteswap()
    return plain.tolist()
