"""A Tuesday of two boxes as a Prometheus scraped it every 15 s, and what truly happened, counted as it was made up.

`box-a`: four GPUs and a vLLM. It serves llama until 06:00, nobody asks for anything until 08:00, then it is started
anew with qwen, answers from 08:05 on, and crashes and comes back at 13:37. Its first abort is at 10:02.
`box-b`: two GPUs and a vLLM with llama, at work all day. One of the GPUs is lost at noon; the driver of the other is
loaded anew at 17:10, which starts its energy counter again.

The truth is told by the hour of the scrape that first shows it. box-a is scraped on the edges of hours; box-b 3.5 s
after them, so that what it did in the last 15 s of an hour is the next hour's: that is what scraping can tell.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

DAY: Final = datetime(2026, 11, 17, tzinfo=UTC)
START_S: Final = int(DAY.timestamp())
STEP_S: Final = 15
STEPS: Final = 24 * 240

LLAMA, QWEN = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-32B"
H100 = "NVIDIA H100 80GB HBM3"
PRICES = """
[[prices.terms]]
basis = "own"
server_usd = 350_400
gpus_per_server = 8
years = 5

[prices.electricity]
usd_per_kwh = 0.30

[prices.facility]
pue = 1.2

[[prices.sites]]
name = "north"
hosts = ["box-b"]
electricity = { usd_per_kwh = 0.10 }
facility = { pue = 1.1 }

[[prices.sites]]
name = "metered"
hosts = ["box-p", "box-q"]
facility = { pue = 1.2, host = "measured" }
"""
USD_PER_GPU_HOUR = 1.0  # 350 400 / 8 / (5 · 8760)
USD_PER_BOARD_KWH = {"box-a": 0.30 * 1.2, "box-b": 0.10 * 1.1}

Labels = tuple[tuple[str, str], ...]


class Series(NamedTuple):
    name: str
    labels: Labels


@dataclass(slots=True)
class KnownDay:
    """Samples by series, and the truth by hour of the day."""

    samples: dict[Series, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    tokens: dict[tuple[int, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    joules: Counter[tuple[int, str]] = field(default_factory=Counter)  # by hour and GPU
    watched_s: Counter[tuple[int, str]] = field(default_factory=Counter)

    def write_openmetrics(self, path: Path) -> None:
        """For `promtool tsdb create-blocks-from openmetrics`."""
        by_name: dict[str, list[Series]] = defaultdict(list)
        for series in self.samples:
            by_name[series.name].append(series)
        with path.open("w") as out:
            for name, all_of_it in sorted(by_name.items()):
                counter = name.endswith("_total")
                out.write(f"# TYPE {name.removesuffix('_total')} {'counter' if counter else 'gauge'}\n")
                for series in all_of_it:
                    out.writelines(f"{_text(series)} {value:.12g} {at_s}\n" for at_s, value in self.samples[series])
            out.write("# EOF\n")

    def lines(self) -> Iterator[str]:
        """For VictoriaMetrics' /api/v1/import/prometheus."""
        for series, samples in self.samples.items():
            text = _text(series)
            yield from (f"{text} {value:.12g} {round(at_s * 1000)}\n" for at_s, value in samples)


def known_day(steps: int = STEPS) -> KnownDay:
    """The first `steps` · 15 s of the day, and samples of the five minutes before it."""
    day = KnownDay()
    for box in (_Box(day, "box-a", gpus=4, offset_s=0.0), _Box(day, "box-b", gpus=2, offset_s=3.5)):
        for step in range(-20, steps + 1):
            box.step(step)
    return day


class _Box:
    def __init__(self, day: KnownDay, name: str, *, gpus: int, offset_s: float) -> None:
        self.day, self.name, self.offset_s = day, name, offset_s
        self.energy_mj = {f"GPU-{name}-{number}": 7_000_000_000 + number for number in range(gpus)}
        self.counters: Counter[str] = Counter(prompt=1_000_000, cached=400_000, output=300_000, finished=900)

    def step(self, step: int) -> None:
        """The 15 s that end with it, and its scrape."""
        at_s = START_S + step * STEP_S + self.offset_s
        hour = math.ceil((at_s - START_S) / 3600) - 1
        tokens = self._tokens(step)
        if self._restarts(step):
            self.counters.clear()
        for number, uuid in enumerate(self.energy_mj):
            self._gpu(step, hour, number, uuid, busy=bool(tokens))
        up = self._up(step)
        self._told(Series("up", (("instance", f"{self.name}:8000"), ("job", "vllm"))), at_s, up)
        if not up:
            return
        self.counters += tokens
        if 0 <= hour < 24:
            self.day.tokens[hour, self.name, self._model(step)] += tokens
        names = ("prompt_tokens", "cached", "generation_tokens")
        page = dict(zip(names, (self.counters[key] for key in ("prompt", "cached", "output")), strict=True))
        self._server("vllm:prompt_tokens_total", step, at_s, page["prompt_tokens"])
        self._server("vllm:prompt_tokens_cached_total", step, at_s, page["cached"])
        self._server("vllm:generation_tokens_total", step, at_s, page["generation_tokens"])
        self._server("vllm:num_requests_running", step, at_s, 8 if tokens else 0)
        self._server("vllm:request_success_total", step, at_s, self.counters["finished"], ("finished_reason", "stop"))
        if self.name == "box-b":
            self._first_tokens(step, at_s)
        if self.counters["aborted"]:
            aborted = self.counters["aborted"]
            self._server("vllm:request_success_total", step, at_s, aborted, ("finished_reason", "abort"))

    def _gpu(self, step: int, hour: int, number: int, uuid: str, *, busy: bool) -> None:
        if self.name == "box-b" and number == 1 and step > _at(12):
            return
        drawn_mj = (400 + number if busy else 90) * 1000 * STEP_S
        if self.name == "box-b" and number == 0 and step == _at(17, 10):
            self.energy_mj[uuid] = 0
        self.energy_mj[uuid] += drawn_mj
        if 0 <= hour < 24:
            self.day.joules[hour, uuid] += drawn_mj // 1000
            self.day.watched_s[hour, uuid] += STEP_S
        labels: Labels = (("Hostname", self.name), ("UUID", uuid), ("gpu", str(number)), ("modelName", H100))
        labels += (("instance", f"{self.name}:9400"), ("job", "dcgm"))
        at_s = START_S + step * STEP_S + self.offset_s
        self._told(Series("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", labels), at_s, self.energy_mj[uuid])
        self._told(Series("DCGM_FI_DEV_POWER_USAGE", labels), at_s, 400 + number if busy else 90)
        self._told(Series("DCGM_FI_DEV_GPU_UTIL", labels), at_s, 97 if busy else 0)
        self._told(Series("DCGM_FI_DEV_FB_USED", labels), at_s, 70_000 if self._up(step) else 400)
        self._told(Series("DCGM_FI_DEV_GPU_TEMP", labels), at_s, 66 if busy else 41)

    def _first_tokens(self, step: int, at_s: float) -> None:
        """Half of them within 0.1 s, the others within 0.5 s."""
        finished, name = self.counters["finished"], "vllm:time_to_first_token_seconds"
        for edge, count in (("0.1", finished // 2), ("0.5", finished), ("+Inf", finished)):
            self._server(f"{name}_bucket", step, at_s, count, ("le", edge))
        self._server(f"{name}_sum", step, at_s, finished * 0.2)

    def _server(self, name: str, step: int, at_s: float, value: float, *more: tuple[str, str]) -> None:
        labels = (("instance", f"{self.name}:8000"), ("job", "vllm"), ("model_name", self._model(step)), *more)
        self._told(Series(name, labels), at_s, value)

    def _told(self, series: Series, at_s: float, value: float) -> None:
        self.day.samples[series].append((at_s, value))

    def _model(self, step: int) -> str:
        return QWEN if self.name == "box-a" and step >= _at(8) else LLAMA

    def _up(self, step: int) -> bool:
        return self.name != "box-a" or not _at(8) <= step < _at(8, 5)

    def _restarts(self, step: int) -> bool:
        return self.name == "box-a" and step in (_at(8), _at(13, 37))

    def _tokens(self, step: int) -> Counter[str]:
        """What was made in the 15 s before. Of those before its page is there again, nothing."""
        if self.name == "box-b":
            return Counter(prompt=1500, cached=700, output=300, finished=2)
        if step <= _at(6):
            return Counter(prompt=1200, cached=500, output=400 + step % 7, finished=3)
        if step <= _at(8, 5):
            return Counter()
        aborted = Counter(aborted=1) if step == _at(10, 2) else Counter()
        return Counter(prompt=900, cached=100, output=250 + step % 5, finished=1) + aborted


def _at(hour: int, minute: int = 0) -> int:
    return hour * 240 + minute * 4


def _text(series: Series) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in series.labels)
    return f"{series.name}{{{labels}}}"
