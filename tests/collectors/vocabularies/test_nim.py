"""What tokwatch reads from the pages of NVIDIA NIM 1.x, whose names have no prefix."""

from __future__ import annotations

from collectors.readings import Moves
from tests.collectors.vocabularies.two_readings import engine_page, increments, lost, observed, only_flow, read

PAGES = ("nim-1.x-1", "nim-1.x-2")


def test_every_counter_moves_by_what_was_served() -> None:
    assert increments(*PAGES) == {
        "prompt_tokens": 1077,
        "output_tokens": 63,
        "finished": 1,
        "failed": 1,
        "progress": 63,
    }
    assert lost(PAGES[1]) == {"cached_tokens"}


def test_every_histogram_moves_by_what_was_observed() -> None:
    assert observed(*PAGES) == {
        "ttft": (2, 0.35),
        "itl": (61, 0.276),
        "e2e": (2, 0.626),
        "prompt_length": (2, 1077),
    }


def test_gauges() -> None:
    got = read(PAGES[1])
    assert (got.server.engine, got.moves, got.running, got.waiting, got.kv_usage) == ("nim", Moves.LIVE, 5, 2, 0.44)
    assert only_flow(PAGES[1]).model == "meta/llama-3.2-1b-instruct"
    assert got.started_at_s is not None


def test_trap_07_its_time_per_output_token_is_observed_for_each_token() -> None:
    histograms = dict(only_flow(PAGES[1]).histograms)
    assert histograms["ttft"].counts[-1] + histograms["itl"].counts[-1] == only_flow(PAGES[1]).output_tokens


def test_trap_11_it_is_known_by_two_names_together() -> None:
    assert not read(b'num_requests_running{model_name="m"} 1\n').ok
    assert not read(b'generation_tokens_total{model_name="m"} 1\n').ok


def test_finished_requests_come_from_their_reasons_where_there_is_no_count_of_successes() -> None:
    page = b"\n".join(line for line in engine_page(PAGES[1]).splitlines() if b"request_success" not in line) + b"\n"
    assert only_flow(page).finished == 3


def test_a_nim_on_vllm_with_vllms_own_names_is_read_as_vllm() -> None:
    page = b'num_request_max{model_name="m"} 9\nvllm:num_requests_running{model_name="m"} 3\n'
    assert read(page + b'vllm:generation_tokens_total{model_name="m"} 5\n').server.engine == "vllm"


def test_gpu_series_of_the_triton_inside_do_not_make_it_triton() -> None:
    page = engine_page(PAGES[0]) + b'nv_gpu_power_usage{gpu_uuid="x"} 300\nnv_inference_request_success{model="m"} 1\n'
    assert read(page).server.engine == "nim"
