"""The made-up week: what is played through the real path adds up to the invoice, and every price of it is seen."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from tokwatch.config import Config
from tokwatch.demo.play import play
from tokwatch.demo.scenario import Scenario, parse
from tokwatch.demo.week import (
    DAY_S,
    OWN_MODEL,
    RENTED_MODEL,
    TRUE_RENT_USD,
    restate,
    scenario_text,
    week,
)
from tokwatch.exports.hourly import Asked, export_hourly

RENT_USD = 2.90
HOUR_S = 3600.0
TICK_S = 900.0  # coarse: a day in seconds
THURSDAY_S = 3 * DAY_S
LEFT_OVER = {"(unassigned)", "(shared, idle)", "(unobserved)"}

Row = dict[str, Any]


def _play(store: Path, scenario: Scenario, from_s: float, until_s: float, *, interval_s: float = TICK_S) -> Config:
    config = msgspec.structs.replace(week()[1], interval_s=interval_s)
    asyncio.run(play(scenario, config, store, from_s=from_s, until_s=until_s))
    return config


def _hours(store: Path, by: Literal["gpu", "model"]) -> list[Row]:
    out = io.BytesIO()
    export_hourly(store, Asked(by, format="json", simulated=True), out)
    rows: list[Row] = json.loads(out.getvalue())
    return rows


def _sum(rows: list[Row], *columns: str) -> float:
    return math.fsum(row[column] or 0.0 for row in rows for column in columns)


@pytest.fixture(scope="module")
def thursday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thursday."""
    store = tmp_path_factory.mktemp("week") / "thursday.db"
    _play(store, week()[0], THURSDAY_S, THURSDAY_S + DAY_S)
    return store


@pytest.fixture(scope="module")
def gpus(thursday: Path) -> list[Row]:
    return _hours(thursday, "gpu")


@pytest.fixture(scope="module")
def models(thursday: Path) -> list[Row]:
    return _hours(thursday, "model")


def test_what_models_cost_is_what_gpus_cost_in_each_hour(gpus: list[Row], models: list[Row]) -> None:
    assert len({row["hour_start"] for row in gpus}) == 24
    for hour in {row["hour_start"] for row in gpus}:
        of_gpus, of_models = ([row for row in rows if row["hour_start"] == hour] for rows in (gpus, models))
        for column in ("cost_total_usd", "cost_energy_usd", "cost_idle_usd", "cost_unobserved_usd"):
            assert _sum(of_models, column) == pytest.approx(_sum(of_gpus, column), rel=1e-9), (hour, column)


def test_the_parts_of_each_gpu_hour_add_up(gpus: list[Row]) -> None:
    states = [column for column in gpus[0] if column.startswith("s_")]
    for row in gpus:
        assert _sum([row], *states) == pytest.approx(row["observed_s"])
        parts = ("cost_rent_usd", "cost_capex_usd", "cost_opex_usd", "cost_space_usd", "cost_energy_usd")
        assert _sum([row], *parts) == pytest.approx(row["cost_total_usd"])
        assert row["simulated"] is True
        assert row["unpriced_s"] == row["unpriced_kwh"] == 0


def test_an_outage_of_twenty_minutes_leaves_the_invoice_of_reserved_rent_whole(tmp_path: Path) -> None:
    store, two_s = tmp_path / "store.db", THURSDAY_S + 14 * HOUR_S
    _play(store, week()[0], two_s, two_s + HOUR_S, interval_s=60.0)
    rented = [row for row in _hours(store, "gpu") if row["gpu_model"] == RENTED_MODEL]
    assert [(row["observed_s"], row["coverage"]) for row in rented] == [(2400.0, pytest.approx(2 / 3))] * 24
    for row in rented:
        assert row["cost_total_usd"] == pytest.approx(RENT_USD * 2 / 3)
        assert row["cost_total_usd"] + row["cost_unobserved_usd"] == pytest.approx(RENT_USD)


def test_own_and_rented_gpus_have_their_parts(gpus: list[Row]) -> None:
    own = [row for row in gpus if row["gpu_model"] == OWN_MODEL]
    rented = [row for row in gpus if row["gpu_model"] != OWN_MODEL]
    assert (len(own) / 24, len(rented) / 24) == (32, 32)
    assert {row["cost_basis"] for row in own} == {"own"}
    assert {row["cost_basis"] for row in rented} == {"rent"}
    for column in ("cost_capex_usd", "cost_opex_usd", "cost_space_usd", "cost_energy_usd"):
        assert all(row[column] > 0 for row in own)
        assert _sum(rented, column) == 0
    assert _sum(own, "cost_rent_usd") == 0
    assert all(row["cost_rent_usd"] > 0 for row in rented)


def test_three_models_earn_in_two_tiers(models: list[Row]) -> None:
    earned: dict[tuple[str, str], float] = defaultdict(float)
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in models:
        if row["model"] not in LEFT_OVER:
            earned[row["model"], row["tier"]] += row["revenue_usd"] or 0.0
            sources[row["model"], row["tier"]].add(row["tier_source"])
    assert all(revenue > 10 for revenue in earned.values())
    assert sources == {
        ("Llama-3.3-70B", "standard"): {"assumed"},
        ("Llama-3.3-70B", "priority"): {"deployment"},
        ("Qwen3-235B-A22B", "standard"): {"assumed"},
        ("Qwen3-235B-A22B", "priority"): {"deployment"},
        ("Llama-3.1-8B", "standard"): {"assumed"},
        ("Llama-3.1-8B-priority", "priority"): {"model"},
    }


def test_tokens_of_the_outage_are_counted_too(models: list[Row]) -> None:
    counted: dict[str, int] = defaultdict(int)
    for row in models:
        counted[row["deployment"]] += row["tokens_out"] or 0
    true: dict[str, int] = defaultdict(int)
    for server in week()[0].servers:
        if server.role != "prefill":
            begun, ended = (server.load.at(t_s, 0.0).output_tokens for t_s in (THURSDAY_S, THURSDAY_S + DAY_S))
            true[server.deployment] += ended - begun
    for deployment in ("chat-priority", "agents-priority", "batch"):  # of servers that never restarted
        assert counted[deployment] == true[deployment] > 0


def test_the_tariff_changes_at_its_local_hours(gpus: list[Row]) -> None:
    tariff = {row["hour_start"][11:13]: row["tariff_usd_per_kwh_avg"] for row in gpus if row["gpu_index"] == 0}
    assert tariff["20"] == pytest.approx(0.135)  # 13:00 in Los Angeles
    assert 0.135 < tariff["21"] < 0.182  # the edge at 14:30 lies in it
    assert tariff["22"] == pytest.approx(0.182)
    assert [tariff[hour] for hour in ("23", "00", "01", "02", "03")] == pytest.approx([0.245] * 5)
    assert tariff["04"] == pytest.approx(0.135)


def test_deployments_that_nobody_asks_at_night_are_idle_then(gpus: list[Row]) -> None:
    small = [row for row in gpus if 24 <= row["gpu_index"] <= 29]
    night, noon = ([row for row in small if row["hour_start"][11:13] == hour] for hour in ("10", "19"))
    assert _sum(night, "s_parked") == 6 * HOUR_S
    assert _sum(noon, "s_parked") == 0
    empty = [row for row in gpus if row["gpu_index"] in (62, 63)]
    assert _sum(empty, "s_unallocated") == _sum(empty, "observed_s")


def test_a_tariff_follows_the_clocks_when_they_are_set_back(tmp_path: Path) -> None:
    scenario = parse(scenario_text().replace("begins 2025-10-06T00:00:00", "begins 2025-11-02T00:00:00"))
    monday_s = 25 * HOUR_S
    _play(tmp_path / "store.db", scenario, monday_s + 15 * HOUR_S, monday_s + 17 * HOUR_S)
    hours = [row for row in _hours(tmp_path / "store.db", "gpu") if row["gpu_index"] == 0]
    assert {row["hour_start"]: row["tariff_usd_per_kwh_avg"] for row in hours} == {
        "2025-11-03T23:00:00Z": pytest.approx(0.182),
        "2025-11-04T00:00:00Z": pytest.approx(0.245),  # 16:00; a day before it was 23:00Z
    }


def test_a_restated_rent_is_told_as_such(tmp_path: Path) -> None:
    store, scenario = tmp_path / "store.db", week()[0]
    config = _play(store, scenario, 0.0, HOUR_S)
    before = [row for row in _hours(store, "gpu") if row["gpu_model"] == RENTED_MODEL]
    prices = config.prices.prices()
    assert prices is not None
    added = restate(store, scenario, prices)
    after = [row for row in _hours(store, "gpu") if row["gpu_model"] == RENTED_MODEL]
    assert {(row["cost_total_usd"], row["restated"]) for row in before} == {(RENT_USD, False)}
    assert {(row["cost_total_usd"], row["restated"]) for row in after} == {(TRUE_RENT_USD, True)}
    assert {row["price_version"] for row in after} == {str(added.id)}


def test_a_gpu_that_is_lost_takes_its_replica_with_it(tmp_path: Path) -> None:
    lost_s = 210_000.0
    _play(tmp_path / "store.db", week()[0], lost_s - TICK_S, lost_s + 2 * HOUR_S)
    hours = [row for row in _hours(tmp_path / "store.db", "gpu") if row["gpu_index"] in (11, 12, 15)]
    last = {row["gpu_index"]: row for row in hours if row["hour_start"] == "2025-10-08T18:00:00Z"}
    assert last[15]["s_lost"] == HOUR_S
    assert last[12]["s_unallocated"] == HOUR_S
    assert last[11]["s_parked"] == last[11]["s_unallocated"] == 0
