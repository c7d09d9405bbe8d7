"""Operating points that somebody else measured, to compare with: shapes, and what the rows of a benchmark mean.

InferenceX (SemiAnalysis): latencies are seconds; interactivity is 1 ÷ TPOT; `output_tput_per_gpu` of a disaggregated
row is per decode GPU, and is told here per GPU of both kinds; `avg_power_w` is measured board power of one GPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from collectors.labels import clean_label

MOST_REFERENCES = 200
# No figure of a benchmark lies beyond, and what is made from two of these is finite.
_SMALLEST, _LARGEST = 1e-12, 1e12


class Reference(msgspec.Struct, frozen=True):
    """One operating point of a benchmark. Throughput is over all GPUs, and at least one of the two is known."""

    name: str
    tok_s_per_user: float
    total_tok_s_per_gpu: float | None = None
    output_tok_s_per_gpu: float | None = None
    board_w_per_gpu: float | None = None  # measured; a provisioned or rated power is not to be compared with it
    prompt_share: float | None = None  # of prompt + output tokens, 0..1
    source: str = ""  # the file's name

    def per_board_mw(self, tok_s_per_gpu: float | None) -> float | None:
        """A throughput in tok/s per megawatt of board power."""
        return tok_s_per_gpu / self.board_w_per_gpu * 1e6 if tok_s_per_gpu and self.board_w_per_gpu else None


class NotAPoint(ValueError):
    """A row that is no operating point; says why."""


def own_row(row: Mapping[str, Any], number: int, source: str) -> Reference:
    """A row of a simple table: name, tok_s_per_user, total_tok_s_per_gpu or output_tok_s_per_gpu, board_w_per_gpu.

    Raises NotAPoint.
    """
    total, output = (_positive(row, key) for key in ("total_tok_s_per_gpu", "output_tok_s_per_gpu"))
    interactivity = _positive(row, "tok_s_per_user")
    if interactivity is None:
        raise NotAPoint("it has no tok_s_per_user")
    if total is None and output is None:
        raise NotAPoint("it has neither total_tok_s_per_gpu nor output_tok_s_per_gpu")
    name = clean_label(str(row.get("name") or f"{source} {number}"))
    return Reference(
        name, interactivity, total, output, _positive(row, "board_w_per_gpu"), _prompt_share(total, output), source
    )


def inferencex_row(row: Mapping[str, Any], source: str) -> Reference:
    """A row of InferenceX: of `agg_bmk.json` (figures beside the config) or with the figures under `metrics`.

    Raises NotAPoint.
    """
    metrics = row.get("metrics")
    figures: Mapping[str, Any] = metrics if isinstance(metrics, Mapping) else row
    total = _positive(figures, "tput_per_gpu")
    interactivity = _interactivity(figures)
    if total is None or interactivity is None:
        raise NotAPoint("it has no tput_per_gpu" if total is None else "it has no mean or median TPOT")
    output = _positive(figures, "output_tput_per_gpu")
    if output is not None and row.get("disagg") in (True, "true"):
        prefill, decode = _positive(row, "num_prefill_gpu"), _positive(row, "num_decode_gpu")
        output = output * decode / (prefill + decode) if prefill and decode else None
    return Reference(
        _name(row),
        interactivity,
        total,
        output,
        _positive(figures, "avg_power_w"),
        _prompt_share(total, output),
        source,
    )


def _interactivity(figures: Mapping[str, Any]) -> float | None:
    """Of the mean, as tokwatch tells its own; of the median where only that is there."""
    for statistic in ("mean", "median"):
        tpot_s = _positive(figures, f"{statistic}_tpot")
        if tpot_s is not None:
            return 1 / tpot_s
        told = _positive(figures, f"{statistic}_intvty")
        if told is not None:
            return told
    return None


def _name(row: Mapping[str, Any]) -> str:
    """ "h200 dsr1 fp8 sglang 1024/1024 ×64": chip, model, precision, engine, shape and concurrency."""
    words = [row.get("hardware") or row.get("hw"), row.get("model"), row.get("precision"), row.get("framework")]
    shape = f"{row['isl']}/{row['osl']}" if row.get("isl") and row.get("osl") else ""
    concurrency = f"×{row['conc']}" if row.get("conc") else ""
    return clean_label(" ".join(str(word) for word in (*words, shape, concurrency) if word))


def _positive(row: Mapping[str, Any], key: str) -> float | None:
    """A number above 0; None where the row has none. Raises NotAPoint for anything else."""
    value = row.get(key)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not _SMALLEST < number < _LARGEST:
        raise NotAPoint(f"{key} is no number above 0: {clean_label(str(value)[:40])}")
    return number


def _prompt_share(total: float | None, output: float | None) -> float | None:
    return 1 - output / total if total and output and output <= total else None


def chosen(row: Mapping[str, Any], where: Mapping[str, str | int | float | bool]) -> bool:
    """Whether a row's columns are what was asked for; text and numbers compare as they are written."""
    return all(_written(row.get(key)) == _written(value) for key, value in where.items())


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# --- a dump of InferenceX's database: one table a file ----------------------------------------------------------------


class BenchmarkConfig(msgspec.Struct, frozen=True):
    """A row of `configs`."""

    id: int | str
    hardware: str
    framework: str
    model: str
    precision: str
    disagg: bool = False
    spec_method: str | None = None
    num_prefill_gpu: int | None = None
    num_decode_gpu: int | None = None


class WorkflowRun(msgspec.Struct, frozen=True):
    """A row of `workflow_runs`."""

    id: int | str
    github_run_id: int | str
    run_attempt: int | None = None


class BenchmarkResult(msgspec.Struct, frozen=True):
    """A row of `benchmark_results`."""

    workflow_run_id: int | str
    config_id: int | str
    date: str
    metrics: dict[str, Any]
    conc: int | None = None
    isl: int | None = None
    osl: int | None = None
    benchmark_type: str | None = None
    error: str | None = None


def latest_results(
    results: Iterable[BenchmarkResult], configs: Iterable[BenchmarkConfig], runs: Iterable[WorkflowRun]
) -> list[dict[str, Any]]:
    """Results with their config's columns: the newest of each (config, conc, isl, osl) without an error, of the highest
    attempt of its run. Ids compare as text: JSON writes large ones as strings."""
    attempts: dict[str, tuple[int, str]] = {}
    for run in runs:
        attempt = run.run_attempt or 0, str(run.id)
        attempts[str(run.github_run_id)] = max(attempts.get(str(run.github_run_id), attempt), attempt)
    valid = {run for _, run in attempts.values()}
    by_id = {str(config.id): msgspec.structs.asdict(config) for config in configs}
    newest: dict[tuple[str, int | None, int | None, int | None], BenchmarkResult] = {}
    for result in results:
        if result.error is None and str(result.workflow_run_id) in valid:
            key = str(result.config_id), result.conc, result.isl, result.osl
            if key not in newest or newest[key].date < result.date:
                newest[key] = result
    return [{**by_id.get(key[0], {}), **msgspec.structs.asdict(result)} for key, result in newest.items()]
