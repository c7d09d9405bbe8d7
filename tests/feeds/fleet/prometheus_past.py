"""A past that real servers hold: samples at known times in a Prometheus' blocks and in a VictoriaMetrics."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.prometheus_servers import Server, missing, prometheus, query, victoria_metrics
from tests.real.processes import wait_until

ENGINES: Final = {"prometheus": ("prometheus", "promtool"), "victoria-metrics": ("victoria-metrics",)}
INTERVAL_S = 15
BEGUN_S = 1_790_000_000
AT_S = BEGUN_S + 1200  # the moment that tests look at: twenty minutes in
_STEPS = 80 + 8  # and a little beyond

Values = Callable[[int], float | None]  # seconds since BEGUN_S → value; None: no sample


@dataclass
class Past:
    """Series, each with a sample every INTERVAL_S, `phase_s` after the others'."""

    lines: list[tuple[str, float, float]] = field(default_factory=list)  # (series, value, Unix seconds)

    def series(self, name: str, labels: Mapping[str, str], values: Values | float, *, phase_s: int = 0) -> None:
        inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
        for step in range(_STEPS):
            offset_s = step * INTERVAL_S + phase_s
            value = values(offset_s) if callable(values) else values
            if value is not None:
                self.lines.append((f"{name}{{{inner}}}", value, BEGUN_S + offset_s))


def _openmetrics(past: Past) -> str:
    return "".join(f"{series} {value!r} {at_s}\n" for series, value, at_s in past.lines) + "# EOF\n"


@contextmanager
def past_server(engine: str, folder: Path, past: Past) -> Iterator[str]:
    """The URL of one of ENGINES that holds the past. Skips the test where that engine is missing."""
    if words := missing(*ENGINES[engine]):
        pytest.skip(words)
    held = _past_prometheus if engine == "prometheus" else _past_victoria_metrics
    with held(folder / "data", past) as server:
        yield server.url


@contextmanager
def _past_prometheus(folder: Path, past: Past) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "past.om"
    file.write_text(_openmetrics(past))
    with prometheus(folder, interval_s=INTERVAL_S, tsdb_blocks=file) as server:
        yield server


@contextmanager
def _past_victoria_metrics(folder: Path, past: Past) -> Iterator[Server]:
    with victoria_metrics(folder, interval_s=INTERVAL_S) as server:
        text = "".join(f"{series} {value!r} {round(at_s * 1000)}\n" for series, value, at_s in past.lines)
        urllib.request.urlopen(f"{server.url}/api/v1/import/prometheus", text.encode(), timeout=10).close()
        urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=10).close()
        wait_until(lambda: bool(query(server, "up", AT_S)), "the past can be asked for", within_s=15)
        yield server


def counting(per_s: float, *, begun_s: int = 0, restarted_s: int | None = None, from_: float = 0.0) -> Values:
    """A counter that begins at `begun_s` with `from_`, and begins anew at `restarted_s`."""

    def value(at_s: int) -> float | None:
        if at_s < begun_s:
            return None
        if restarted_s is not None and at_s >= restarted_s:
            return (at_s - restarted_s) * per_s
        return from_ + (at_s - begun_s) * per_s

    return value


def until(last_s: int, value: float, then: float | None = None) -> Values:
    return lambda at_s: value if at_s <= last_s else then
