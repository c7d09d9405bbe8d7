"""NVIDIA Dynamo: the frontend, which counts requests and tokens, and its workers, whose pages pass their engine's on.

Names: ai-dynamo/dynamo, lib/runtime/src/metrics/prometheus_names.rs and lib/llm/src/http/service/metrics.rs, seen on
real pages of 1.6. Both kinds of page have `dynamo_component_*`, so the frontend is asked first; a worker's page has
series of vLLM, SGLang or TensorRT-LLM, so it is asked before these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from collectors.readings import Layer, Moves
from collectors.vocabularies.sglang import SGLANG
from collectors.vocabularies.tensorrt_llm import TENSORRT_LLM
from collectors.vocabularies.vllm import VLLM
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series, Vocabulary, parts_of

# The frontend's own input_sequence_tokens is observed with the first text that reaches the client: answers whose
# stream brought none were left out (61 of 145 requests, 17580 of 43255 tokens). Its router sees every prompt, once in
# each phase it passes: "aggregated", or "prefill" and then "decode". One phase of each kind counts it once.
_ROUTED = Series("dynamo_component_router_input_sequence_tokens", "phase", frozenset({"aggregated", "decode"}))
_OUTPUT_AT_END = Series("dynamo_frontend_output_sequence_tokens_sum")
_OUTPUT_LIVE = Series("dynamo_frontend_output_tokens_total")
_NO_ERROR = frozenset({"", "cancelled"})  # error_type of a success, and of a client that left

DYNAMO_FRONTEND = Vocabulary(
    engine="dynamo",
    signs=(
        frozenset({"dynamo_frontend_disconnected_clients"}),
        frozenset({"dynamo_frontend_requests_total"}),
        frozenset({"dynamo_frontend_output_tokens_total"}),
    ),
    layer=Layer.ROUTER,
    fronts=("dynamo-worker",),
    moves=Moves.AT_END,
    moves_by={_OUTPUT_LIVE.name: Moves.LIVE},
    model_labels=("model",),
    counters={
        "prompt_tokens": Role(
            (replace(_ROUTED, name=f"{_ROUTED.name}_sum"), Series("dynamo_frontend_input_sequence_tokens_sum")),
            "prompt tokens and their cost",
        ),
        "cached_tokens": Role((Series("dynamo_frontend_cached_tokens_sum"),), "cached prompt tokens"),  # inside prompt
        # The live counter misses the same streams (6141 of 15259 tokens), the sum of lengths was exact.
        "output_tokens": Role((_OUTPUT_AT_END, _OUTPUT_LIVE), "output tokens, tok/s/W and $/M tokens"),
        "finished": Role(
            (Series("dynamo_frontend_requests_total", "status", frozenset({"success"})),), "finished requests"
        ),
        "failed": Role(
            (Series("dynamo_frontend_requests_total", "error_type", _NO_ERROR, others=True),), "failed requests"
        ),
        "aborted": Role(
            (Series("dynamo_frontend_requests_total", "error_type", frozenset({"cancelled"})),), "aborted requests"
        ),
        "progress": Role((_OUTPUT_LIVE, _OUTPUT_AT_END), "whether a busy GPU makes progress"),
    },
    gauges={
        "running": Role(  # in the house: those that wait are among them
            (Series("dynamo_frontend_active_requests"), Series("dynamo_frontend_inflight_requests")),
            "running requests",
        ),
        "waiting": Role(  # not yet answered by a worker: queued or in prefill
            (Series("dynamo_frontend_stage_requests"), Series("dynamo_frontend_queued_requests")), "waiting requests"
        ),
        "kv_usage": Role((), "KV cache usage: it stands on the workers' pages"),
    },
    histograms={
        "ttft": Role((Series("dynamo_frontend_time_to_first_token_seconds"),), "time to first token and its SLO"),
        "itl": Role(  # one observation per token
            (Series("dynamo_frontend_inter_token_latency_seconds"),), "inter-token latency and its SLO"
        ),
        "e2e": Role(  # of failed requests too
            (Series("dynamo_frontend_request_duration_seconds"),), "request latency and its SLO"
        ),
        "prompt_length": Role((_ROUTED, Series("dynamo_frontend_input_sequence_tokens")), "prompt lengths"),
    },
    infos=(Info(Series("dynamo_component_router_requests_total"), {"dynamo_namespace": "dynamo namespace"}),),
)

_ENGINES = (VLLM, SGLANG, TENSORRT_LLM)


def merged(tables: Iterable[Mapping[str, Role]]) -> dict[str, Role]:
    """The roles of several engines as one table: a page of any of them has candidates of that one alone.

    Raises ValueError where a role is written in different units.
    """
    roles: dict[str, Role] = {}
    for name, role in (item for table in tables for item in table.items()):
        known = roles.setdefault(name, replace(role, candidates=()))
        if known.scale != role.scale:
            raise ValueError(f"{name} has different units in two engines, so one table cannot hold both")
        roles[name] = replace(known, candidates=known.candidates + role.candidates)
    return roles


def _when_output_moves() -> dict[str, Moves]:
    return {
        parts_of(candidate)[0].name: engine.moves_by.get(parts_of(candidate)[0].name, engine.moves)
        for engine in _ENGINES
        for candidate in engine.counters["output_tokens"].candidates
    }


def _at_the_frontend(roles: Mapping[str, Role], **lost: str) -> dict[str, Role]:
    """A worker whose engine tells nothing is no worse off for it: its frontend's page has the same."""
    return {name: replace(role, lost=lost.get(name, "")) for name, role in roles.items()}


_COUNTERS = _at_the_frontend(
    merged(engine.counters for engine in _ENGINES),
    output_tokens="tokens and requests: the frontend's page counts them",
    progress="whether a busy GPU makes progress",
)
_GAUGES = merged(engine.gauges for engine in _ENGINES)
# Dynamo's mocker has vLLM's latencies and none of its counters: one interval a token, and one first token a request.
_LAST_PROGRESS = (
    AllOf((Series("vllm:inter_token_latency_seconds_count"), Series("vllm:time_to_first_token_seconds_count"))),
)
# A prefill worker may have no engine series at all. Its other endpoints answer questions about the KV cache.
_LAST_RUNNING = (Series("dynamo_component_inflight_requests", "dynamo_endpoint", frozenset({"generate"})),)

DYNAMO_WORKER = Vocabulary(
    engine="dynamo-worker",
    signs=(frozenset({"dynamo_component_requests_total"}), frozenset({"dynamo_component_inflight_requests"})),
    moves=Moves.NONE,  # where no engine series tells
    moves_by=_when_output_moves(),
    model_labels=("model_name", "model"),
    # "backend" decodes beside a prefill worker and does both without one: its page does not say which.
    roles={"dynamo_component": {"prefill": "prefill", "decode": "decode"}},
    copies=tuple(dict.fromkeys(label for engine in _ENGINES for label in engine.copies)),
    totals={label: total for engine in _ENGINES for label, total in engine.totals.items()},
    counters={
        **_COUNTERS,
        "progress": replace(_COUNTERS["progress"], candidates=_COUNTERS["progress"].candidates + _LAST_PROGRESS),
    },
    gauges={
        **_GAUGES,
        "running": replace(_GAUGES["running"], candidates=_GAUGES["running"].candidates + _LAST_RUNNING),
    },
    histograms=_at_the_frontend(
        merged(engine.histograms for engine in _ENGINES), ttft="latencies: the frontend's page tells them"
    ),
    infos=(
        Info(
            Series("dynamo_component_inflight_requests"),
            {"dynamo_namespace": "dynamo namespace", "dynamo_component": "dynamo component"},
        ),
        *(info for engine in _ENGINES for info in engine.infos),
    ),
)
