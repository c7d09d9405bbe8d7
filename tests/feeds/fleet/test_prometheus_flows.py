"""Models on hosts: which of the servers that a token passes counts it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collectors.prometheus.answers import Vector
from collectors.prometheus.expressions import FIGURE
from collectors.readings import UNNAMED
from tokwatch.feeds.fleet.prometheus_figures import Figures
from tokwatch.feeds.fleet.prometheus_flows import flows
from tokwatch.ledger.fleet.tally import FlowTally


def told(*rows: tuple[str, str, str, str, float], **labels_of_all: str) -> Figures:
    """(figure, host, model, engine, value)."""
    labels = tuple(
        {FIGURE: figure, "tw_host": host, "tw_model": model, "tw_engine": engine, **labels_of_all}
        for figure, host, model, engine, _ in rows
    )
    found = Figures()
    found.add(Vector(labels, tuple(row[-1] for row in rows), 0.0))
    return found


def counted(found: Figures) -> dict[str, Sequence[tuple[str, int | None]]]:
    return {host: [(flow.engine, flow.output_tokens) for flow in each] for host, each in flows(found).by_host.items()}


ENGINE = ("output_tokens", "h1", "Qwen", "vllm", 100.0)


def test_a_router_counts_for_a_model_that_no_engine_tells() -> None:
    found = told(ENGINE, ("output_tokens", "r", "Qwen", "dynamo", 90.0), ("output_tokens", "r", "Llama", "dynamo", 7.0))
    assert counted(found) == {"h1": [("vllm", 100)], "r": [("dynamo", 7)]}
    assert flows(found).elsewhere == (("r", "dynamo"),)


def test_a_gateway_counts_where_nobody_else_does() -> None:
    alone = told(("output_tokens", "g", "our-best", "litellm", 9.0))
    assert counted(alone) == {"g": [("litellm", 9)]}


@pytest.mark.parametrize("other", [ENGINE, ("output_tokens", "r", "Qwen", "dynamo", 90.0)])
def test_a_gateway_may_call_models_otherwise_so_it_never_counts_beside_those_behind_it(
    other: tuple[str, str, str, str, float],
) -> None:
    found = told(other, ("output_tokens", "g", "our-best", "litellm", 9.0))
    assert "g" not in counted(found)


def test_an_engine_without_token_counters_leaves_them_to_its_router() -> None:
    found = told(("running", "h1", "Qwen", "vllm", 2.0), ("output_tokens", "r", "Qwen", "dynamo", 90.0))
    assert counted(found) == {"h1": [("vllm", None)], "r": [("dynamo", 90)]}


def test_two_engines_of_one_model_on_a_host_are_one_flow() -> None:
    found = told(
        ENGINE,
        ("output_tokens", "h1", "Qwen", "sglang", 50.0),
        ("running", "h1", "Qwen", "vllm", 3.0),
        ("kv_usage", "h1", "Qwen", "vllm", 0.25),
        ("kv_usage", "h1", "Qwen", "sglang", 0.75),
        ("servers", "h1", "Qwen", "vllm", 2.0),
        ("servers", "h1", "Qwen", "sglang", 1.0),
    )
    assert flows(found).by_host["h1"] == (
        FlowTally(model="Qwen", servers=3, engine="sglang + vllm", output_tokens=150, running=3, kv_usage=0.75),
    )


def test_of_a_pair_one_half_has_the_prompts_and_the_other_the_output() -> None:
    found = Figures()
    for host, role, output in (("h1", "prefill", 2.0), ("h2", "decode", 150.0)):
        counts = (("prompt_tokens", 600.0), ("cached_tokens", 200.0), ("output_tokens", output), ("finished", 2.0))
        rows = [(name, host, "Qwen", "sglang", value) for name, value in (*counts, ("running", 1.0))]
        found.update(told(*rows, tw_role=role))
    by_host = flows(found).by_host
    assert by_host["h1"] == (
        FlowTally(model="Qwen", servers=0, engine="sglang", prompt_tokens=600, cached_tokens=200, running=1),
    )
    assert by_host["h2"] == (
        FlowTally(model="Qwen", servers=0, engine="sglang", output_tokens=150, finished=2, running=1),
    )


@pytest.mark.parametrize("model", ["", "None", "null"])
def test_a_model_that_is_not_set_is_unnamed(model: str) -> None:
    (only,) = flows(told(("output_tokens", "h1", model, "tgi", 1.0))).by_host["h1"]
    assert only.model == UNNAMED


def test_numbers_that_are_none_are_not_told() -> None:
    assert counted(told(("output_tokens", "h1", "Qwen", "vllm", float("nan")))) == {}
