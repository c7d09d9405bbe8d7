"""`export openmetrics`: text that an OpenMetrics parser takes, whose counters end at what was counted."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.exports.box import (
    GPU_0,
    GPU_1,
    NOON_MS,
    QWEN,
    QWEN_FLOW,
    StateLog,
    background,
    flow_quarter,
    gpu_facts,
    gpu_quarter,
    price,
    server_facts,
)
from tests.exports.strategies import price_versions, quarters
from tests.exports.test_hourly import HOUR_MS, MINUTE_MS, SIMULATED, record
from tests.store.records import RUN
from tokwatch.exports.background import Background
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.exports.openmetrics.export import Asked, export_openmetrics
from tokwatch.exports.openmetrics.families import Recording
from tokwatch.exports.openmetrics.text import lines
from tokwatch.exports.periods import Period
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], list[tuple[float, float]]]  # [(Unix seconds, value)]
LOG = StateLog(*((NOON_MS + n * 50_000, NOON_MS + (n + 1) * 50_000, list(State)[n % 15]) for n in range(200)))
TWO_HOURS = Period(NOON_MS, NOON_MS + 2 * HOUR_MS)


def written(rows: Quarters, known: Background, within: Period = TWO_HOURS) -> str:
    recording = Recording(known, within)
    recording.add_quantities(rows)
    recording.add_cost(rows)
    return "".join(f"{line}\n" for line in lines(recording))


def parsed(text: str) -> Samples:
    """As prometheus_client reads it; it refuses what is not grouped, typed, named or ended as it should be."""
    found: Samples = defaultdict(list)
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            assert sample.timestamp is not None
            found[sample.name, frozenset(sample.labels.items())].append((float(sample.timestamp), sample.value))
    return found


def total(samples: Samples, name: str, **labels: str) -> float:
    """The last value less the first, over all series with these labels."""
    series = [of for (found, own), of in samples.items() if found == name and labels.items() <= set(own)]
    return sum(values[-1][1] - values[0][1] for values in series)


def values(samples: Samples, name: str, **labels: str) -> list[tuple[float, float]]:
    """Seconds since noon and value, of the one series with these labels."""
    [found] = [of for (named, own), of in samples.items() if named == name and labels.items() <= set(own)]
    return [(at_s - NOON_MS / 1000, value) for at_s, value in found]


@given(quarters, price_versions())
@settings(max_examples=20, deadline=None)
def test_any_range_can_be_parsed_and_its_counters_end_at_its_totals(
    drawn: Quarters, book: tuple[PriceVersion, ...]
) -> None:
    known = background(*book, states=LOG)
    samples = parsed(written(drawn, known))
    for series in samples.values():
        assert [at_s for at_s, _ in series] == sorted({at_s for at_s, _ in series})
    for (name, _), series in samples.items():
        if name.endswith("_total"):
            assert series[0] == (NOON_MS / 1000, 0)
            assert len(series) == 9
            assert [value for _, value in series] == sorted(value for _, value in series)
    hours = gpu_hours(drawn, known)
    for hour in hours:
        assert hour.energy_board_j is None or hour.gpu_uuid
    joules = total(samples, "tokwatch_gpu_energy_joules_total")
    assert round(joules * 1000) == sum(row.energy_mj or 0 for row in drawn.gpus)
    assert total(samples, "tokwatch_cost_dollars_total") == pytest.approx(
        sum(hour.cost_total_usd or 0 for hour in hours), abs=1e-6
    )
    assert total(samples, "tokwatch_output_tokens_total") == sum(row.output_tokens or 0 for row in drawn.flows)
    seconds = total(samples, "tokwatch_gpu_state_seconds_total")
    assert seconds == pytest.approx(sum(row.observed_ms for row in drawn.gpus) / 1000)


def test_a_counter_has_a_sample_at_every_edge_and_begins_at_nothing() -> None:
    rows = Quarters([gpu_quarter(0), gpu_quarter(2)], [flow_quarter(1)])
    samples = parsed(written(rows, background(price(2.35)), Period(NOON_MS, NOON_MS + HOUR_MS)))
    assert values(samples, "tokwatch_gpu_energy_joules_total") == [
        *((0, 0), (900, 540_000), (1800, 540_000), (2700, 1_080_000), (3600, 1_080_000)),
    ]
    assert values(samples, "tokwatch_output_tokens_total")[:3] == [(0, 0), (900, 0), (1800, 500_000)]
    assert values(samples, "tokwatch_prompt_cached_tokens_total")[-1] == (3600, 400_000)
    assert values(samples, "tokwatch_cost_dollars_total")[1] == (900, 0.5875)


def test_a_gauge_has_the_mean_of_each_stretch_and_no_sample_where_nothing_was_read() -> None:
    samples = parsed(written(Quarters([gpu_quarter(0), gpu_quarter(2, states={})], []), background()))
    assert values(samples, "tokwatch_gpu_power_watts") == [(900, 600)]
    assert values(samples, "tokwatch_gpu_utilization_ratio") == [(900, 0.8)]


def test_what_is_idle_and_whose_a_cost_is_are_labels() -> None:
    half = QUARTER_MS // 2
    rows = Quarters(
        [gpu_quarter(states={State.SERVING: half, State.PARKED: half}), gpu_quarter(gpu=GPU_1, owner=0)], []
    )
    samples = parsed(written(rows, background(price(2.0))))
    cost = "tokwatch_cost_dollars_total"
    assert total(samples, cost, model="qwen", use="busy") == total(samples, cost, model="qwen", use="idle") == 0.25
    assert total(samples, cost, model="(unassigned)", gpu="1", currency="USD") == 0.5
    assert total(samples, "tokwatch_gpu_state_seconds_total", state="parked") == 450


def test_a_hostile_name_stays_within_its_label() -> None:
    hostile = 'a"} 1\n# EOF\\\x1b[31m'
    facts = (gpu_facts(GPU_0, 0, "GPU-a", hostile), server_facts(QWEN, "127.0.0.1:8000", "vllm", "qwen"))
    samples = parsed(written(Quarters([gpu_quarter()], []), background(facts=facts)))
    [labels] = [dict(own) for name, own in samples if name == "tokwatch_gpu_power_watts"]
    assert labels["gpu_model"] == 'a"} 1\ufffd# EOF\\\ufffd[31m'


def test_two_gpus_that_are_called_alike_are_one_series() -> None:
    facts = (gpu_facts(GPU_0, 0, "GPU-a"), gpu_facts(GPU_1, 0, "GPU-a"))
    samples = parsed(written(Quarters([gpu_quarter(), gpu_quarter(gpu=GPU_1)], []), background(facts=facts)))
    assert values(samples, "tokwatch_gpu_energy_joules_total")[1] == (900, 1_080_000)


def test_nothing_is_said_of_other_hours() -> None:
    rows = Quarters([gpu_quarter(0), gpu_quarter(4)], [flow_quarter(0, QWEN_FLOW), flow_quarter(5, QWEN_FLOW)])
    samples = parsed(written(rows, background(price(2.0)), Period(NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS)))
    assert total(samples, "tokwatch_gpu_energy_joules_total") == 540_000
    assert total(samples, "tokwatch_cost_dollars_total") == 0.5
    assert total(samples, "tokwatch_output_tokens_total") == 500_000


# --- of a store -------------------------------------------------------------------------------------------------------


def exported(store: Path, asked: Asked | None = None) -> tuple[Samples, Iterable[str]]:
    out = io.BytesIO()
    done = export_openmetrics(store, asked or Asked(), out)
    samples = parsed(out.getvalue().decode())
    assert sum(map(len, samples.values())) == done.samples
    return samples, done.left_out


def test_a_stored_range_ends_where_it_was_recorded_until(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    record(store, (RUN, NOON_MS, NOON_MS + 80 * MINUTE_MS))
    samples, _ = exported(store)
    assert values(samples, "tokwatch_gpu_energy_joules_total")[-1] == (80 * 60, 80 * 60 * 600)
    assert total(samples, "tokwatch_output_tokens_total") == 80 * 480
    assert total(samples, "tokwatch_cost_dollars_total") == pytest.approx(2.40 * 80 / 60)
    first, _ = exported(store, Asked(until_ms=NOON_MS + HOUR_MS))
    assert total(first, "tokwatch_output_tokens_total") == 60 * 480


def test_by_minutes_it_counts_the_same(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    record(store, (RUN, NOON_MS, NOON_MS + 80 * MINUTE_MS))
    samples, _ = exported(store, Asked(grain="minute"))
    assert len(values(samples, "tokwatch_gpu_energy_joules_total")) == 1 + 80
    assert total(samples, "tokwatch_gpu_energy_joules_total") == 80 * 60 * 600
    assert total(samples, "tokwatch_cost_dollars_total") == pytest.approx(2.40 * 80 / 60)


def test_a_simulation_is_left_out_and_named(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS))
    samples, left_out = exported(store)
    assert (samples, len(list(left_out))) == ({}, 1)
    assert exported(store, Asked(simulated=True))[0]
