"""What a benchmark's row means as an operating point, and which rows of a dump are the latest."""

from __future__ import annotations

from typing import Any

import pytest

from tokwatch.ledger.capacity.references import (
    BenchmarkConfig,
    BenchmarkResult,
    NotAPoint,
    Reference,
    WorkflowRun,
    chosen,
    inferencex_row,
    latest_results,
    own_row,
)

AGGREGATED = {
    "hw": "h200",
    "model": "dsr1",
    "precision": "fp8",
    "framework": "sglang",
    "isl": 1024,
    "osl": 1024,
    "conc": 64,
    "tput_per_gpu": 900.0,
    "output_tput_per_gpu": 450.0,
    "mean_tpot": 0.02,
    "avg_power_w": 600.0,
}


def test_a_row_of_one_s_own_names_its_point() -> None:
    row = {"name": "bench 2 Nov", "tok_s_per_user": "26", "output_tok_s_per_gpu": "1330", "board_w_per_gpu": ""}
    assert own_row(row, 1, "mine.csv") == Reference("bench 2 Nov", 26, None, 1330, source="mine.csv")


def test_a_row_without_a_name_is_known_by_its_number() -> None:
    assert own_row({"tok_s_per_user": 26, "total_tok_s_per_gpu": 2_000}, 3, "mine.csv").name == "mine.csv 3"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"total_tok_s_per_gpu": 1}, "no tok_s_per_user"),
        ({"tok_s_per_user": 1}, "neither total_tok_s_per_gpu nor output_tok_s_per_gpu"),
        ({"tok_s_per_user": "fast", "total_tok_s_per_gpu": 1}, "tok_s_per_user is no number above 0: fast"),
        ({"tok_s_per_user": 0, "total_tok_s_per_gpu": 1}, "tok_s_per_user is no number above 0: 0"),
        ({"tok_s_per_user": "nan", "total_tok_s_per_gpu": 1}, "tok_s_per_user is no number above 0: nan"),
        ({"tok_s_per_user": True, "total_tok_s_per_gpu": 1}, "tok_s_per_user is no number above 0: True"),
        ({"tok_s_per_user": [1], "total_tok_s_per_gpu": 1}, "tok_s_per_user is no number above 0"),
        ({"tok_s_per_user": 1, "total_tok_s_per_gpu": 10**400}, "total_tok_s_per_gpu is no number above 0"),
    ],
)
def test_a_row_that_is_no_point_says_why(row: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAPoint, match=why):
        own_row(row, 1, "mine.csv")


def test_a_hostile_name_is_cleaned() -> None:
    row = {"name": "\x1b[31mred\n", "tok_s_per_user": 1, "total_tok_s_per_gpu": 1}
    assert "\x1b" not in own_row(row, 1, "mine.csv").name


def test_a_row_of_inferencex() -> None:
    found = inferencex_row(AGGREGATED, "agg_bmk.json")
    assert found == Reference("h200 dsr1 fp8 sglang 1024/1024 ×64", 50, 900, 450, 600, 0.5, "agg_bmk.json")
    assert found.per_board_mw(found.total_tok_s_per_gpu) == 1.5e6


def test_figures_under_metrics_are_the_same() -> None:
    outside = ("hw", "model", "precision", "framework", "isl", "osl", "conc")
    nested = {key: AGGREGATED[key] for key in outside}
    nested["metrics"] = {key: value for key, value in AGGREGATED.items() if key not in outside}
    assert inferencex_row(nested, "x") == inferencex_row(AGGREGATED, "x")


def test_output_of_a_disaggregated_row_is_told_per_gpu_of_both_kinds() -> None:
    row = AGGREGATED | {"disagg": True, "num_prefill_gpu": 8, "num_decode_gpu": 24}
    assert inferencex_row(row, "x").output_tok_s_per_gpu == 450 * 24 / 32
    assert inferencex_row(AGGREGATED | {"disagg": True}, "x").output_tok_s_per_gpu is None


def test_interactivity_is_of_the_mean_and_else_of_the_median() -> None:
    medians = {key: value for key, value in AGGREGATED.items() if key != "mean_tpot"} | {"median_intvty": 44.0}
    assert inferencex_row(medians, "x").tok_s_per_user == 44


@pytest.mark.parametrize("missing", ["tput_per_gpu", "mean_tpot"])
def test_a_failed_benchmark_is_no_point(missing: str) -> None:
    with pytest.raises(NotAPoint):
        inferencex_row({key: value for key, value in AGGREGATED.items() if key != missing}, "x")


def test_rows_are_chosen_by_what_is_written_in_them() -> None:
    assert chosen(AGGREGATED, {"hw": "h200", "isl": 1024, "conc": "64"})
    assert chosen(AGGREGATED | {"disagg": False}, {"disagg": False})
    assert not chosen(AGGREGATED, {"hw": "h100"})
    assert not chosen(AGGREGATED, {"no such column": ""})


# --- a dump -----------------------------------------------------------------------------------------------------------

CONFIG = BenchmarkConfig(1, "h200", "sglang", "dsr1", "fp8")


def result(run: int | str, tput: float, date: str = "2026-03-01", error: str | None = None) -> BenchmarkResult:
    return BenchmarkResult(run, 1, date, {"tput_per_gpu": tput, "mean_tpot": 0.02}, 64, 1024, 1024, error=error)


def latest(*results: BenchmarkResult, runs: tuple[WorkflowRun, ...]) -> list[float]:
    rows = latest_results(results, [CONFIG], runs)
    return [inferencex_row(row, "x").total_tok_s_per_gpu or 0 for row in rows]


def test_the_newest_result_of_a_config_counts() -> None:
    runs = (WorkflowRun(1, 100), WorkflowRun(2, 200))
    assert latest(result(1, 10), result(2, 20, "2026-03-02"), runs=runs) == [20]


def test_only_the_highest_attempt_of_a_run_counts() -> None:
    runs = (WorkflowRun(1, 100, 1), WorkflowRun("2", "100", 2))
    assert latest(result(1, 10, "2026-03-09"), result("2", 20), runs=runs) == [20]


def test_a_result_with_an_error_does_not_count() -> None:
    assert latest(result(1, 10, error="timeout"), runs=(WorkflowRun(1, 100),)) == []


def test_a_result_carries_the_columns_of_its_config() -> None:
    (row,) = latest_results([result("1", 10)], [CONFIG], [WorkflowRun("1", 100)])
    assert (row["hardware"], row["conc"]) == ("h200", 64)


def test_per_mw_is_unknown_without_measured_power() -> None:
    assert Reference("x", 50, 900).per_board_mw(900) is None
