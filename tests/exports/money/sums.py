"""The made-up box's quarter hours, gathered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.exports.box import NOON_MS
from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.money.gather import Gathering, Period
from tokwatch.exports.money.rows import Books
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters

END_MS = NOON_MS + 4 * HOUR_MS


def gathered(
    quarters: Quarters,
    background: Background,
    hours: Iterable[int] = (),
    *,
    each_gpu: bool = False,
    each_quarter: bool = False,
) -> Period:
    gathering = Gathering(background, END_MS, each_gpu=each_gpu, each_quarter=each_quarter)
    gathering.take(quarters, hours)
    return gathering.period


def books(
    gpus: Sequence[GpuQuarter], flows: Sequence[FlowQuarter], background: Background, *, each_gpu: bool = False
) -> Books:
    period = gathered(Quarters(list(gpus), list(flows), []), background, each_gpu=each_gpu)
    return Books(period, background.names, END_MS)
