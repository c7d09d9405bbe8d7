"""Frontier view: what every part of the Frontier screen draws from, in one frozen value. No drawing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tokwatch.dashboard import formats
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import OperatingPast
from tokwatch.ledger.capacity.operating_point import Throughput
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.capacity.row import CapacityRow, PointRow
from tokwatch.ledger.snapshot import Snapshot

BENCHMARK, BEST, NOW = "◇", "◆", "●"
HOUR_MS: Final = 3_600_000
SPANS_MS: Final = (HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS)
_FIELDS: Final = {
    Throughput.OUTPUT_PER_GPU: "output_tok_s_per_gpu",
    Throughput.TOTAL_PER_GPU: "total_tok_s_per_gpu",
    Throughput.OUTPUT_PER_MW: "output_tok_s_per_board_mw",
    Throughput.TOTAL_PER_MW: "total_tok_s_per_board_mw",
}
AXES: Final = tuple(_FIELDS)  # what stands against tok/s per user, in the order of the key


@dataclass(frozen=True, slots=True)
class FrontierView:
    """One deployment as it is looked at."""

    row: CapacityRow  # at the moment on screen
    deployments: tuple[tuple[int, str], ...]  # all of them: entity, name
    at_ms: int
    past: OperatingPast | None  # None while it is read, and where nothing is stored of it
    reading: bool
    axis: Throughput
    span_ms: int
    box: Box
    own_box: bool  # set on this screen, not in the config
    references: bool  # are shown
    live: bool
    utc_offset_s: int
    sign: str  # of the currency

    @property
    def now(self) -> PointRow | None:
        """The last window; None when it is not of the present any more."""
        return self.row.now

    @property
    def side(self) -> str:
        """Where the last window lies: "inside", "too slow", …; "" without one, or without a box."""
        return self.box.side(self.now.tok_s_per_user, self.now.usd_per_m_output) if self.now else ""

    @property
    def span_words(self) -> str:
        """ "last 6 h"."""
        return f"last {span_name(self.span_ms)}"

    def when(self, at_ms: int) -> str:
        """A moment as short as it is clear: 11:42, and with its day where that is another one."""
        then, now = (formats.local(each, self.utc_offset_s) for each in (at_ms, self.at_ms))
        if then.date() == now.date():
            return f"{then:%H:%M}"
        return f"{then:%a %H:%M}" if now - then < timedelta(days=6) else f"{then.day} {then:%b %H:%M}"


def span_name(span_ms: int) -> str:
    """1 h, 6 h, 24 h, 7 d."""
    hours = span_ms // HOUR_MS
    return f"{hours} h" if hours <= 24 else f"{hours // 24} d"


def deployment_names(snapshot: Snapshot) -> tuple[tuple[int, str], ...]:
    """Entity and name of each: its own, else its models' without makers; with its GPUs where two have the same."""
    names = {row.entity: row.deployment or _models(row) or f"deployment {row.entity}" for row in snapshot.capacity}
    times = Counter(names.values())
    gpus_of = {server.entity: server.gpus for server in snapshot.servers}

    def told_apart(row: CapacityRow) -> str:
        gpus = sorted({gpu for server in row.servers for gpu in gpus_of.get(server, ())})
        alone = times[names[row.entity]] == 1 or not gpus
        return names[row.entity] + ("" if alone else f" {formats.devices(tuple(gpus), snapshot.device)}")

    return tuple((row.entity, told_apart(row)) for row in snapshot.capacity)


def _models(row: CapacityRow) -> str:
    return " + ".join(dict.fromkeys(model.rstrip("/").rsplit("/", 1)[-1] for model in row.models))


def throughput_of(point: PointRow, axis: Throughput) -> float | None:
    """A point's height on an axis; None where it is not known."""
    found: float | None = getattr(point, _FIELDS[axis])
    return found


def throughput_of_reference(reference: Reference, axis: Throughput) -> float | None:
    """The same of a benchmark's point."""
    match axis:
        case Throughput.OUTPUT_PER_GPU:
            return reference.output_tok_s_per_gpu
        case Throughput.TOTAL_PER_GPU:
            return reference.total_tok_s_per_gpu
        case Throughput.OUTPUT_PER_MW:
            return reference.per_board_mw(reference.output_tok_s_per_gpu)
        case Throughput.TOTAL_PER_MW:
            return reference.per_board_mw(reference.total_tok_s_per_gpu)


def box_words(box: Box, sign: str) -> str:
    """ "≥ 40 tok/s per user and ≤ $0.50 per M out"; "" without limits."""
    limits = (
        box.tok_s_per_user_at_least is not None and f"≥ {box.tok_s_per_user_at_least:g} tok/s per user",
        box.usd_per_m_output_at_most is not None and f"≤ {price_words(box.usd_per_m_output_at_most, sign)} per M out",
    )
    return " and ".join(limit for limit in limits if limit)


def price_words(usd: float, sign: str) -> str:
    """Money for a million tokens, with its sign."""
    return f"{sign}{formats.per_million(usd)}"


def read_box(text: str) -> Box | None:
    """What was typed as a box: tok/s per user, then $ per M output, "-" for no limit; None for nothing at all.

    Raises ValueError with a sentence.
    """
    words = text.replace("$", "").replace(",", ".").split()
    if not words:
        return None
    if len(words) > 2:
        raise ValueError("Two numbers at most: tok/s per user, then the price of a million output tokens.")
    return Box(*(_limit(word) for word in words))


def _limit(word: str) -> float | None:
    if word in ("-", "–"):
        return None
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{word[:20]!r} is no number above 0; - stands for no limit.")
    return value
