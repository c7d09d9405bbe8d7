"""What tokwatch reads from llama-server's pages."""

from __future__ import annotations

from pathlib import Path

from collectors.readings import Moves, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.collectors.vocabularies.two_readings import increments

PAGES = Path(__file__).parents[2] / "pages"
SERVER = ServerFacts("127.0.0.1:8080", "llama.cpp", model="tiny-llama")


def reading(page: bytes, headers: dict[str, str] | None = None) -> ServerReading:
    return read_page(page, SERVER, 7, headers=headers)


def test_a_real_page_gives_tokens_at_end_and_progress_by_decode_steps() -> None:
    got = reading((PAGES / "llama.cpp-0.5.0-dev-tiny-after.prom").read_bytes())
    (flow,) = got.flows
    assert (got.ok, got.moves, got.running, got.waiting) == (True, Moves.AT_END, 4, 0)
    assert (flow.model, flow.prompt_tokens, flow.output_tokens, flow.progress) == ("tiny-llama", 625940, 1085, 411)
    assert flow.histograms == ()


def test_every_counter_moves_by_what_was_served() -> None:
    pages = [(PAGES / f"llama.cpp-0.5.0-dev-tiny-{name}.prom").read_bytes() for name in ("idle", "load", "after")]
    assert increments(pages[0], pages[1]) == {
        "prompt_tokens": 28780,
        "cached_tokens": 0,
        "output_tokens": 77,
        "progress": 52,
        "drafted_tokens": 0,
        "accepted_tokens": 0,
    }
    second = increments(pages[1], pages[2])
    assert (second["prompt_tokens"], second["output_tokens"], second["progress"]) == (235405, 697, 175)


def test_speculation_counts_drafted_and_accepted_tokens() -> None:
    page = (PAGES / "llama.cpp-0.5.0-dev-tiny-after.prom").read_bytes()
    page = page.replace(b"num_draft_tokens_total 0", b"num_draft_tokens_total 40")
    (flow,) = reading(page.replace(b"num_accepted_tokens_total 0", b"num_accepted_tokens_total 31")).flows
    assert (flow.drafted_tokens, flow.accepted_tokens) == (40, 31)


def test_trap_03_the_throughput_gauges_that_every_reader_empties_are_not_used() -> None:
    used = reading((PAGES / "llama.cpp-0.5.0-dev-tiny-after.prom").read_bytes()).used
    assert not any(name.endswith("tokens_seconds") for name in used)


def test_what_llama_server_cannot_tell_is_listed() -> None:
    got = reading((PAGES / "llama.cpp-0.5.0-dev-idle-fresh.prom").read_bytes())
    assert {role for role, _ in got.missing} == {"finished", "ttft", "kv_usage"}


def test_trap_06_cached_prompt_tokens_are_added_because_the_prompt_counter_leaves_them_out() -> None:
    page = b"llamacpp:prompt_tokens_total 1.09497e+06\nllamacpp:prompt_tokens_cached_total 30\n"
    (flow,) = reading(page + b"llamacpp:tokens_predicted_total 5\n").flows
    assert (flow.prompt_tokens, flow.cached_tokens) == (1_095_000, 30)


def test_an_older_build_without_the_cached_counter_has_unknown_prompts() -> None:
    got = reading(b"llamacpp:prompt_tokens_total 100\nllamacpp:tokens_predicted_total 5\n")
    assert (got.flows[0].prompt_tokens, got.flows[0].cached_tokens, got.flows[0].output_tokens) == (None, None, 5)
    assert "without the cached ones" in dict(got.missing)["prompt_tokens"]


def test_its_start_header_tells_restarts_and_no_time() -> None:
    page = b"llamacpp:tokens_predicted_total 5\n"
    got = reading(page, {"process-start-time-unix": "1779291736"})
    assert (got.incarnation, got.started_at_s) == ("1779291736", None)
    assert reading(page).incarnation is None
