"""A day that is known, out of a Prometheus and a VictoriaMetrics that never heard of tokwatch: tokens, joules, dollars.

Counts and joules must be exact. Dollars are sums of floating-point products, and may differ in their last digits.
"""

from __future__ import annotations

import io
import json
import shutil
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.prometheus_quarters.known_day import (
    LLAMA,
    PRICES,
    QWEN,
    USD_PER_BOARD_KWH,
    USD_PER_GPU_HOUR,
    KnownDay,
    known_day,
)
from tests.feeds.prometheus_quarters.other_boxes import HOURS, add_agents_box, add_box_of_pods
from tests.feeds.prometheus_quarters.pair_boxes import (
    ALIAS,
    CACHED,
    DECODE_W,
    DYNAMO_MODEL,
    OUTPUT,
    PREFILL_W,
    PROMPT,
    REQUESTS,
    SGLANG_MODEL,
    SUPPLIES_W,
    add_pairs,
)
from tests.prometheus_servers import missing, prometheus, victoria_metrics, wait_for_samples
from tokwatch.cli import run
from tokwatch.exits import Exit

Row = dict[str, Any]

KNOWN_BOXES = ("box-a", "box-b")


@pytest.fixture(scope="module")
def day() -> KnownDay:
    made = known_day()
    add_agents_box(made)
    add_box_of_pods(made)
    add_pairs(made)
    return made


@pytest.fixture(scope="module")
def from_prometheus(day: KnownDay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if absent := missing("prometheus", "promtool"):
        pytest.skip(absent)
    folder = tmp_path_factory.mktemp("prometheus")
    day.write_openmetrics(folder / "day.om")
    with prometheus(folder / "server", tsdb_blocks=folder / "day.om") as server:
        yield server.url
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def from_victoria(day: KnownDay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if absent := missing("victoria-metrics"):
        pytest.skip(absent)
    with victoria_metrics(tmp_path_factory.mktemp("victoria")) as server:
        body = "".join(day.lines()).encode()
        urllib.request.urlopen(f"{server.url}/api/v1/import/prometheus", body, timeout=30).close()
        urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=30).close()
        wait_for_samples(server, "last_over_time(up[1000d])", at_least=2)
        yield server.url


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(PRICES)
    return path


class Export:
    """`tokwatch export hourly --prometheus URL` of the day, each table once."""

    def __init__(self, url: str, config: Path) -> None:
        self._url, self._config = url, config
        self._tables: dict[str, list[Row]] = {}

    def rows(self, by: str) -> list[Row]:
        if by not in self._tables:
            arguments = ["export", "hourly", "--by", by, "--prometheus", self._url, "--config", str(self._config)]
            out = io.TextIOWrapper(io.BytesIO())
            with redirect_stdout(out):
                code = run([*arguments, "--since", "2026-11-17", "--until", "2026-11-18", "--format", "json"])
            assert code == Exit.DONE
            out.seek(0)
            self._tables[by] = json.load(out)
        return self._tables[by]


@pytest.fixture(scope="module")
def by_prometheus(from_prometheus: str, config: Path) -> Export:
    return Export(from_prometheus, config)


@pytest.fixture(scope="module")
def by_victoria(from_victoria: str, config: Path) -> Export:
    return Export(from_victoria, config)


@pytest.fixture(params=["by_prometheus", "by_victoria"])
def export(request: pytest.FixtureRequest) -> Export:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Export)
    return found


def hour(row: Row) -> int:
    return int(row["hour_start"][11:13])


def rounded(row: Row) -> Row:
    return {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in row.items()}


def of_known_boxes(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if (row.get("node") or row.get("deployment") or "").startswith(KNOWN_BOXES)]


def test_tokens_and_requests_of_every_hour_and_model_are_the_known_ones(export: Export, day: KnownDay) -> None:
    told = {
        (hour(row), row["deployment"].removesuffix(":8000"), row["model"]): (
            row["tokens_in_uncached"] + row["tokens_in_cached"],
            row["tokens_in_cached"],
            row["tokens_out"],
            row["requests_completed"],
            row["requests_aborted"] or 0,
        )
        for row in of_known_boxes(export.rows("model"))
    }
    known = {
        at: (c["prompt"], c["cached"], c["output"], c["finished"], c["aborted"]) for at, c in day.tokens.items() if c
    }
    silent = {(hour_, "box-a", LLAMA): (0,) * 5 for hour_ in (6, 7)}
    assert told == known | silent


def test_joules_and_watched_time_of_every_hour_and_gpu_are_the_known_ones(export: Export, day: KnownDay) -> None:
    """Over a restart of the counter too, and to the last sample of a GPU that is lost."""
    told = {(hour(row), row["gpu_uuid"]): row for row in of_known_boxes(export.rows("gpu"))}
    assert {at: row["energy_board_j"] for at, row in told.items()} == day.joules
    assert {at: row["observed_s"] for at, row in told.items()} == day.watched_s


def test_dollars_are_held_hours_and_the_joules_at_each_site(export: Export, day: KnownDay) -> None:
    for row in of_known_boxes(export.rows("gpu")):
        at = hour(row), row["gpu_uuid"]
        energy_usd = day.joules[at] / 3.6e6 * USD_PER_BOARD_KWH[row["node"]]
        assert row["cost_energy_usd"] == pytest.approx(energy_usd, rel=1e-12)
        assert row["cost_total_usd"] == pytest.approx(
            energy_usd + day.watched_s[at] / 3600 * USD_PER_GPU_HOUR, rel=1e-12
        )


def test_models_add_up_to_gpus_in_every_hour(export: Export) -> None:
    by_model, by_gpu = export.rows("model"), export.rows("gpu")
    for hour_ in range(24):
        for column in ("cost_total_usd", "cost_idle_usd", "energy_board_j"):
            sums = [sum(row[column] or 0 for row in rows if hour(row) == hour_) for rows in (by_model, by_gpu)]
            assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_focus_rows_add_up_to_the_same_bill(export: Export) -> None:
    billed = sum(float(row["BilledCost"]) for row in export.rows("focus"))
    assert billed == pytest.approx(sum(row["cost_total_usd"] for row in export.rows("gpu")), rel=1e-9)


def test_a_model_that_is_loaded_and_not_asked_is_parked_and_pays_for_its_idleness(export: Export) -> None:
    for row in export.rows("gpu"):
        if row["node"] == "box-a":
            assert row["s_parked"] == (3600 if hour(row) in (6, 7) else 0)
    parked = [row for row in export.rows("model") if row["deployment"] == "box-a:8000" and hour(row) == 6]
    assert [(row["model"], row["cost_busy_usd"], row["gpu_hours"]) for row in parked] == [(LLAMA, 0, 4)]


def test_latencies_are_those_of_the_histograms(export: Export) -> None:
    [row] = [row for row in export.rows("model") if row["deployment"] == "box-b:8000" and hour(row) == 3]
    assert (row["ttft_p50_s"], row["ttft_p99_s"]) == (0.1, 0.5)


def test_an_agents_own_judgement_goes_before_what_gauges_show(export: Export) -> None:
    rows = [row for row in export.rows("gpu") if row["node"] == "box-c" and hour(row) < HOURS]
    assert [(row["s_serving"], row["s_parked"], row["energy_board_j"]) for row in rows] == [(1800, 1800, 900_000)] * 2
    assert [row["cost_idle_usd"] for row in rows] == pytest.approx([0.5 + 180_000 / 3.6e6 * 0.36] * 2)


def test_tokens_that_an_agent_and_a_scrape_both_tell_are_counted_once(export: Export) -> None:
    rows = [row for row in export.rows("model") if row["model"] == QWEN and hour(row) < HOURS]
    assert [(row["deployment"], row["engine"], row["tokens_out"]) for row in rows] == [
        ("127.0.0.1:8000", "vllm", 240 * 40)
    ] * 2


def test_a_gpu_is_its_pods_and_keeps_its_energy_when_the_pod_goes(export: Export) -> None:
    gpus = {(hour(row), row["gpu_uuid"]): row for row in export.rows("gpu") if row["node"] == "box-d"}
    for hour_ in range(HOURS):
        assert gpus[hour_, "GPU-box-d-0"]["s_serving"] == 3600
        assert gpus[hour_, "GPU-box-d-0"]["energy_board_j"] == 500 * 3600
    trained, free = gpus[0, "GPU-box-d-1"], gpus[1, "GPU-box-d-1"]
    assert (trained["s_other"], trained["energy_board_j"]) == (3600, 650 * 3600)
    assert (free["s_unallocated"], free["energy_board_j"]) == (3600, 100 * 3600)
    [row] = [row for row in export.rows("model") if row["deployment"] == "10.0.7.31:8000" and hour(row) == 0]
    assert (row["gpu_count"], row["energy_board_j"], row["tokens_out"]) == (1, 500 * 3600, 240 * 30)


@pytest.mark.parametrize("model", [SGLANG_MODEL, DYNAMO_MODEL])
def test_tokens_that_pass_prefill_decode_router_and_gateway_are_counted_once(export: Export, model: str) -> None:
    for hour_ in range(HOURS):
        rows = [row for row in export.rows("model") if row["model"].lower() == model.lower() and hour(row) == hour_]
        names = ("tokens_in_uncached", "tokens_in_cached", "tokens_out", "requests_completed")
        told = [sum(row[name] or 0 for row in rows) for name in names]
        assert told == [240 * each for each in (PROMPT - CACHED, CACHED, OUTPUT, REQUESTS)]
    assert not [row for row in export.rows("model") if row["model"] == ALIAS]


@pytest.mark.parametrize(
    ("model", "boxes"),
    [(SGLANG_MODEL, "box-p:30000+box-q:30000"), (DYNAMO_MODEL, "box-r:9090+box-s:9090")],
)
def test_both_halves_of_a_pair_pay_for_its_tokens(export: Export, model: str, boxes: str) -> None:
    rows = [row for row in export.rows("model") if row["model"] == model and hour(row) == 0]
    assert {row["deployment"] for row in rows} == {boxes}
    assert sum(row["energy_board_j"] for row in rows) == pytest.approx((PREFILL_W + DECODE_W) * 3600)
    assert sum(row["gpu_hours"] for row in rows) == pytest.approx(2)


def test_what_a_box_draws_besides_its_boards_is_its_gpus(export: Export) -> None:
    rows = [row for row in export.rows("gpu") if row["node"] in ("box-p", "box-q") and hour(row) == 0]
    told = {row["node"]: (row["host_share"], row["energy_basis"], row["energy_facility_kwh"]) for row in rows}
    assert told == {
        "box-p": ("box", "facility", pytest.approx(sum(SUPPLIES_W) / 1000 * 1.2)),
        "box-q": (None, "board × PUE", pytest.approx(DECODE_W / 1000 * 1.2)),
    }
    assert not [row for row in export.rows("gpu") if row["node"].startswith("10.0.9.")]


def test_a_gateway_whose_tokens_engines_count_tells_whose_they_are(export: Export) -> None:
    rows = [row for row in export.rows("model") if row["model"] == SGLANG_MODEL and hour(row) == 0]
    assert {row["tenant"]: row["tokens_out"] for row in rows} == {
        "search": 240 * OUTPUT * 2 // 3,
        "chat": 240 * OUTPUT // 3,
    }


@pytest.mark.parametrize("by", ["gpu", "model", "focus"])
def test_victoria_metrics_gives_the_tables_of_prometheus(by: str, by_prometheus: Export, by_victoria: Export) -> None:
    """But for the last digit of means, which they add up in another order."""
    assert [rounded(row) for row in by_prometheus.rows(by)] == [rounded(row) for row in by_victoria.rows(by)]
