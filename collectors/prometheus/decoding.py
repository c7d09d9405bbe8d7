"""Replies of the query API → Vector and Matrix. Label sets that were seen before are not decoded again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Generic, TypeVar

import msgspec

from collectors.labels import clean_label
from collectors.prometheus.answers import Matrix, Vector

MAX_LABELS: Final = 128  # of one series; Kubernetes' longest sets have some 60
_MAX_BLOCK_BYTES: Final = 16 * 2**20  # of label blocks kept: 55 000 of DCGM's, 280 000 aggregated ones
_TEXTS: Final = 65_536
_MAX_WARNINGS: Final = 20

_T = TypeVar("_T")


# Brackets in a thousand brackets are msgspec's RecursionError. A ValidationError is a DecodeError.
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError)


class NoReply(ValueError):
    """These bytes are no reply of the query API, or one of another kind than was asked for."""


# gc=False: the collector would go through 8000 of them again and again, and none holds a cycle.
class _Point(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: tuple[float, float]


class _Row(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    values: list[tuple[float, float]]


class _ExactPoint(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: tuple[float, str] | None = None  # None: a native histogram


class _ExactRow(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct, Generic[_T]):
    result: _T
    resultType: str = ""


class _Reply(msgspec.Struct, Generic[_T]):
    data: _T
    warnings: list[str] | None = None  # Thanos: a store did not answer
    isPartial: bool = False  # VictoriaMetrics' cluster says the same so


class _Config(msgspec.Struct):
    yaml: str


# strict=False reads numbers out of strings, four times as fast as float(); but not "+Inf", nor scalars.
_POINTS: Final = msgspec.json.Decoder(_Reply[_Data[list[_Point]]], strict=False)
_ROWS: Final = msgspec.json.Decoder(_Reply[_Data[list[_Row]]], strict=False)
_ANY: Final = msgspec.json.Decoder(_Reply[_Data[msgspec.Raw]])
_EXACT_POINTS: Final = msgspec.json.Decoder(list[_ExactPoint])
_EXACT_ROWS: Final = msgspec.json.Decoder(list[_ExactRow])
_SCALAR: Final = msgspec.json.Decoder(tuple[float, str])
_LABELS: Final = msgspec.json.Decoder(dict[str, str])
_VALUES: Final = msgspec.json.Decoder(_Reply[list[str]])
_CONFIG: Final = msgspec.json.Decoder(_Reply[_Config])


class LabelSets:
    """Label blocks as they came → cleaned label sets. Equal sets are one object as long as they are kept.

    Forgets all of them when they grow over `max_bytes` of blocks. Safe to use from several threads.
    """

    def __init__(self, max_bytes: int = _MAX_BLOCK_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        # Values repeat, 8000 GPUs have one model name: cleaned once, and one object.
        self._clean = lru_cache(_TEXTS)(clean_label)
        self._by_block: dict[bytes, Mapping[str, str]] = {}
        self._by_text: dict[str, Mapping[str, str]] = {}  # blocks may differ in order, or in what cleaning takes out

    @property
    def kept_bytes(self) -> int:
        """Of label blocks; what they became takes about five times that."""
        return self._bytes

    def of(self, blocks: Sequence[msgspec.Raw]) -> tuple[Mapping[str, str], ...]:
        """The label set of each block. Raises NoReply."""
        seen = self._by_block.get
        return tuple([seen(block) or self._learn(block) for block in map(bytes, blocks)])

    def _learn(self, block: bytes) -> Mapping[str, str]:
        try:
            told = _LABELS.decode(block)
        except _UNREADABLE as error:
            raise NoReply(f"labels: {error}") from None
        if len(told) > MAX_LABELS:
            raise NoReply(f"a series has {len(told)} labels")
        labels = {self._clean(name): self._clean(told[name]) for name in sorted(told)}
        self._bytes += len(block)
        if self._bytes > self._max_bytes:
            self._by_block, self._by_text, self._bytes = {}, {}, len(block)
        # No cleaned text holds a newline, so that no two sets read the same.
        shared = self._by_text.setdefault("\n".join((*labels, "", *labels.values())), labels)
        return self._by_block.setdefault(block, shared)


def vector(body: bytes, sets: LabelSets, at_s: float) -> Vector:
    """An instant vector or a scalar; at_s stands where nothing was found. Raises NoReply."""
    try:
        reply = _POINTS.decode(body)
    except _UNREADABLE:
        return _exact_vector(body, sets, at_s)
    points = reply.data.result
    return Vector(
        labels=sets.of([point.metric for point in points]),
        values=tuple([point.value[1] for point in points]),
        at_s=_instant(points[0].value[0]) if points else at_s,
        warnings=_warnings(reply.warnings, reply.isPartial),
    )


def matrix(body: bytes, sets: LabelSets) -> Matrix:
    """A range. Raises NoReply."""
    try:
        reply = _ROWS.decode(body)
    except _UNREADABLE:
        return _exact_matrix(body, sets)
    rows = reply.data.result
    return Matrix(
        labels=sets.of([row.metric for row in rows]),
        times_s=tuple([_instants([time_s for time_s, _ in row.values]) for row in rows]),
        values=tuple([tuple([value for _, value in row.values]) for row in rows]),
        warnings=_warnings(reply.warnings, reply.isPartial),
    )


def texts(body: bytes) -> tuple[str, ...]:
    """A list of label values, cleaned. Raises NoReply."""
    reply = _decoded(_VALUES.decode, body)
    return tuple(map(clean_label, reply.data))


def config_text(body: bytes) -> str:
    """The server's configuration, as YAML. Raises NoReply."""
    return _decoded(_CONFIG.decode, body).data.yaml


def _exact_vector(body: bytes, sets: LabelSets, at_s: float) -> Vector:
    """As `vector`, of everything that the API allows."""
    reply = _decoded(_ANY.decode, body)
    warnings = _warnings(reply.warnings, reply.isPartial)
    if reply.data.resultType == "scalar":
        scalar_at_s, text = _decoded(_SCALAR.decode, reply.data.result)
        return Vector(sets.of([msgspec.Raw(b"{}")]), (_number(text),), scalar_at_s, warnings)
    if reply.data.resultType != "vector":
        raise NoReply(f"a {clean_label(reply.data.resultType, 20)} and no vector: does the query end in [...]?")
    found = _decoded(_EXACT_POINTS.decode, reply.data.result)
    points = [(point.metric, *point.value) for point in found if point.value is not None]
    return Vector(
        labels=sets.of([metric for metric, _, _ in points]),
        values=tuple([_number(text) for _, _, text in points]),
        at_s=points[0][1] if points else at_s,
        warnings=(*warnings, *_histograms(len(found) - len(points))),
    )


def _exact_matrix(body: bytes, sets: LabelSets) -> Matrix:
    """As `matrix`, of everything that the API allows."""
    reply = _decoded(_ANY.decode, body)
    if reply.data.resultType != "matrix":
        raise NoReply(f"a {clean_label(reply.data.resultType, 20)} and no matrix")
    found = _decoded(_EXACT_ROWS.decode, reply.data.result)
    rows = [row for row in found if row.values]
    return Matrix(
        labels=sets.of([row.metric for row in rows]),
        times_s=tuple([tuple([time_s for time_s, _ in row.values]) for row in rows]),
        values=tuple([tuple([_number(text) for _, text in row.values]) for row in rows]),
        warnings=(*_warnings(reply.warnings, reply.isPartial), *_histograms(len(found) - len(rows))),
    )


def _decoded(decode: Callable[[bytes | msgspec.Raw], _T], body: bytes | msgspec.Raw) -> _T:
    try:
        return decode(body)
    except _UNREADABLE as error:
        raise NoReply(str(error)) from None


def _number(text: str) -> float:
    """A sample value: also "+Inf" and "NaN"."""
    try:
        return float(text)
    except ValueError:
        raise NoReply("a sample is no number") from None


def _instant(at_s: float) -> float:
    """As a number it is finite; read leniently, out of a string, it may be anything."""
    if not math.isfinite(at_s):
        raise NoReply("a sample has no time")
    return at_s


def _instants(times_s: list[float]) -> tuple[float, ...]:
    _instant(sum(times_s))
    return tuple(times_s)


def _warnings(told: list[str] | None, partial: bool) -> tuple[str, ...]:
    words = tuple(clean_label(text) for text in (told or ())[:_MAX_WARNINGS])
    return (*words, "the answer is partial: a storage node did not answer") if partial else words


def _histograms(count: int) -> tuple[str, ...]:
    return (f"{count} native histograms were left out",) if count else ()
