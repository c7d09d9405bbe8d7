"""What a server speaks, by the names of its series."""

from __future__ import annotations

import re

import pytest

from collectors.meters import METERS, OF_EVERY_VENDOR
from collectors.prometheus.dialects import AGENT, AGENT_METER, AGENT_VOCABULARY, dialects, names_matcher
from collectors.vocabularies import VOCABULARIES
from collectors.vocabularies.vocabulary import Vocabulary

_PATTERN = re.compile(names_matcher().removeprefix('{__name__=~"').removesuffix('"}'))


def test_meters_and_engines_are_found_by_their_tables() -> None:
    found = dialects(["DCGM_FI_DEV_POWER_USAGE", "vllm:generation_tokens_total", "node_load1"])
    assert found.found == ("dcgm-exporter", "vllm")


def test_the_agent_is_heard_before_any_other() -> None:
    found = dialects(
        ["DCGM_FI_DEV_GPU_TEMP", "tokwatch_gpu_power_watts", "vllm:generation_tokens_total", "tokwatch_server_up"]
    )
    assert found.found == (AGENT, "dcgm-exporter", AGENT, "vllm")


def test_exporters_of_every_vendor_are_heard_after_a_vendors_own() -> None:
    found = dialects(["all_smi_gpu_info", "habanalabs_utilization"])
    assert [each.meter.name for each in found.meters] == ["Gaudi exporter", "all-smi"]
    assert found.meters[-1].meter.name in OF_EVERY_VENDOR


def test_series_that_a_dynamo_worker_passes_on_are_read_as_the_engines() -> None:
    found = dialects(["dynamo_component_requests_total", "vllm:generation_tokens_total"])
    assert found.found == ("vllm",)


def test_engines_that_share_names_are_not_both_read() -> None:
    nim = ("num_requests_running", "generation_tokens_total", "request_success_total")
    names = (*nim, "time_to_first_token_seconds_count", "time_per_output_token_seconds_count")
    assert dialects(names).found == ("nim",)


def test_a_server_without_token_counters_is_no_dialect() -> None:
    assert dialects(["nv_inference_request_success"]).found == ()


def test_pipelines_that_changed_a_colon_are_understood() -> None:
    found = dialects(["vllm_generation_tokens", "vllm:generation_tokens_total"])
    assert found.spellings("vllm:generation_tokens_total") == ("vllm:generation_tokens_total", "vllm_generation_tokens")


def test_a_prefix_that_an_exporter_was_given_is_seen() -> None:
    (amd,) = dialects(["acme_gpu_package_power", "acme_gpu_gfx_activity"]).meters
    assert amd.spelled["gpu_gfx_activity"] == "acme_gpu_gfx_activity"


def test_routers_are_left_out_of_sums_where_there_are_engines() -> None:
    names = ("litellm_output_tokens_metric_total", "smg_router_tokens_total", "smg_worker_pool_size")
    assert dialects(names).counted_once.found == ("litellm", "sglang-router")
    assert dialects((*names, "vllm:generation_tokens_total")).counted_once.found == ("vllm",)


def test_configured_matchers_stand_in_every_selector() -> None:
    found = dialects(["vllm:generation_tokens_total"], 'cluster="a"')
    assert found.series("x", 'b="c"') == 'x{b="c",cluster="a"}'
    assert names_matcher('cluster="a"').endswith('",cluster="a"}')


@pytest.mark.parametrize("vocabulary", [*VOCABULARIES, AGENT_VOCABULARY], ids=lambda each: each.engine)
def test_every_name_of_a_vocabulary_is_asked_for(vocabulary: Vocabulary) -> None:
    asked = vocabulary.wanted.union(*vocabulary.signs) - {vocabulary.start_series}
    assert not {name for name in asked if not _PATTERN.fullmatch(name)}


def test_every_name_of_a_meter_is_asked_for_with_any_prefix_that_it_may_have() -> None:
    for meter in (AGENT_METER, *METERS):
        prefixes = ("", "acme_") if meter.prefixed else ("",)
        names = {
            prefix + name
            for sources in meter.values.values()
            for s in sources
            for name in s.names
            for prefix in prefixes
        }
        assert not {name for name in names.union(*meter.signs) if not _PATTERN.fullmatch(name)}


def test_names_of_everybody_are_not_asked_for() -> None:
    for name in ("up", "process_start_time_seconds", "go_goroutines", "node_cpu_seconds_total", "http_requests_total"):
        assert not _PATTERN.fullmatch(name)


def test_the_question_for_names_fits_into_a_url() -> None:
    assert len(names_matcher()) < 4000
