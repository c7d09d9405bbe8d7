"""Samples of pages: what is read by learnt columns is what the strict readers find, on every page that was captured."""

from __future__ import annotations

from operator import add
from pathlib import Path

import pytest

from collectors.exposition import ExpositionError
from collectors.fleet.engine_columns import engine_sample
from collectors.fleet.meter_columns import gpu_sample
from collectors.fleet.page_samples import RELEARN_NS, PageSamples
from collectors.fleet.samples import COUNTERS, FlowName, GpuSample, PageSample, ServerSample
from collectors.meters.reader import read_meter_page
from collectors.readings import Histogram, ServerFacts
from collectors.vocabularies import read_page

PAGES = Path(__file__).parents[2] / "pages"
SECOND = 1_000_000_000
AGENT = b"""tokwatch_build_info{version="0.9"} 1
tokwatch_gpu_power_watts{gpu="0",uuid="GPU-a",model_name="H100"} 512.25
tokwatch_gpu_power_watts{gpu="1",uuid="GPU-b",model_name="H100"} 80.5
tokwatch_gpu_energy_joules_total{gpu="0",uuid="GPU-a",model_name="H100"} 1234.567
tokwatch_gpu_utilization_ratio{gpu="0",uuid="GPU-a",model_name="H100"} 0.87
tokwatch_gpu_utilization_ratio{gpu="1",uuid="GPU-b",model_name="H100"} 0
tokwatch_gpu_memory_used_bytes{gpu="0",uuid="GPU-a",model_name="H100"} 74448896000
tokwatch_gpu_state{gpu="0",uuid="GPU-a",model_name="H100",state="parked"} 0
tokwatch_gpu_state{gpu="0",uuid="GPU-a",model_name="H100",state="serving"} 1
tokwatch_gpu_state{gpu="1",uuid="GPU-b",model_name="H100",state="unallocated"} 1
tokwatch_server_up{server="127.0.0.1:8000",engine="vllm",model="qwen"} 1
tokwatch_requests_running{server="127.0.0.1:8000",engine="vllm",model="qwen"} 12
tokwatch_kv_cache_usage_ratio{server="127.0.0.1:8000",engine="vllm",model="qwen"} 0.25
tokwatch_output_tokens_total{server="127.0.0.1:8000",engine="vllm",model="qwen"} 5000
tokwatch_requests_total{server="127.0.0.1:8000",engine="vllm",model="qwen",outcome="finished"} 20
tokwatch_requests_total{server="127.0.0.1:8000",engine="vllm",model="qwen",outcome="failed"} 1
"""


def pages(kind: str) -> list[Path]:
    return sorted((PAGES / kind).glob("*.prom"))


def sums(sample: PageSample) -> dict[tuple[object, str], int]:
    """By flow and counter."""
    found: dict[tuple[object, str], int] = {}
    for name, value in zip(sample.about.counters, sample.counters, strict=True):
        if value is not None:
            key = (sample.about.flows[name.flow], COUNTERS[name.counter])
            found[key] = found.get(key, 0) + value
    return found


def observed(sample: PageSample) -> dict[tuple[object, str, tuple[float, ...]], tuple[int, ...]]:
    """Cumulative counts by flow, latency and edges."""
    found: dict[tuple[object, str, tuple[float, ...]], tuple[int, ...]] = {}
    for name, histogram in zip(sample.about.histograms, sample.histograms, strict=True):
        assert histogram is not None
        key = (sample.about.flows[name.flow], name.latency, name.edges)
        found[key] = tuple(map(add, found.get(key, (0,) * len(histogram.counts)), histogram.counts))
    return found


def read_twice(page: bytes) -> tuple[PageSample, PageSample]:
    """Learnt, and then by what was learnt where that is possible."""
    reader = PageSamples("box:9400")
    return reader.read(page, 0).sample(), reader.read(page, SECOND).sample()


@pytest.mark.parametrize("path", pages("engines"), ids=lambda path: path.name)
def test_an_engines_page_tells_what_the_strict_reader_finds(path: Path) -> None:
    page = path.read_bytes()
    reading = read_page(page, ServerFacts("box:9400", ""), 0)
    if not reading.ok:
        with pytest.raises(ExpositionError):
            PageSamples("box:9400").read(page, 0)
        return
    strict = engine_sample(reading)
    for sample in read_twice(page):
        assert sample.servers == strict.servers
        assert sums(sample) == sums(strict)
        assert observed(sample) == observed(strict)


@pytest.mark.parametrize("path", pages("meters"), ids=lambda path: path.name)
def test_an_exporters_page_tells_what_the_strict_reader_finds(path: Path) -> None:
    page = path.read_bytes()
    strict = read_meter_page(page, 0, origin="box:9400", host="")
    for sample in read_twice(page):
        assert sample.gpus == tuple(map(gpu_sample, strict.gpus))
        assert sample.about.gpus == tuple(gpu.facts for gpu in strict.gpus)


@pytest.mark.parametrize(("earlier", "later"), [("dcgm-exporter-4.5.3-1", "dcgm-exporter-4.5.3-2")])
def test_what_was_learnt_of_a_page_reads_the_next_one(earlier: str, later: str) -> None:
    reader = PageSamples("box:9400")
    reader.read((PAGES / "meters" / f"{earlier}.prom").read_bytes(), 0)
    page = (PAGES / "meters" / f"{later}.prom").read_bytes()
    strict = read_meter_page(page, 0, origin="box:9400", host="")
    assert reader.read(page, SECOND).sample().gpus == tuple(map(gpu_sample, strict.gpus))


def test_an_agents_page_tells_gpus_states_servers_and_counters() -> None:
    for sample in read_twice(AGENT):
        about = sample.about
        assert (about.kind, about.version) == ("tokwatch agent", "0.9")
        assert [gpu.uuid for gpu in about.gpus] == ["GPU-a", "GPU-b"]
        serving, unallocated = about.states.index("serving"), about.states.index("unallocated")
        assert sample.gpus == (
            GpuSample(1_234_567, 512_250, 870, 71_000, None, serving),
            GpuSample(None, 80_500, 0, None, None, unallocated),
        )
        assert sample.servers == (ServerSample(True, 12, None, 2500),)
        assert {counter: value for (_, counter), value in sums(sample).items()} == {
            "output_tokens": 5000,
            "finished": 20,
            "failed": 1,
        }


def test_a_state_that_appears_is_seen_at_once() -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT, 0)
    gone = AGENT.replace(b'state="serving"} 1', b'state="serving"} 0')
    other = b'tokwatch_gpu_state{gpu="0",uuid="GPU-a",model_name="H100",state="stalled"} 1\n'
    sample = reader.read(gone + other, SECOND).sample()
    assert sample.about.states[sample.gpus[0].state or 0] == "stalled"


def test_a_value_that_no_device_can_have_is_not_known() -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT, 0)
    blank = AGENT.replace(b"512.25", b"NaN").replace(b"1234.567", b"1.8446744073709552e+19").replace(b"0.87", b"1.2")
    (gpu, _) = reader.read(blank, SECOND).sample().gpus
    assert (gpu.power_mw, gpu.energy_mj, gpu.util_permille) == (None, None, None)


# --- latencies --------------------------------------------------------------------------------------------------------

TTFT = b"".join(
    b'tokwatch_time_to_first_token_seconds%s{server="127.0.0.1:8000",engine="vllm",model="qwen"%s} %s\n' % each
    for each in (
        (b"_bucket", b',le="0.1"', b"2"),
        (b"_bucket", b',le="1.0"', b"7"),
        (b"_bucket", b',le="+Inf"', b"9"),
        (b"_sum", b"", b"4.5"),
        (b"_count", b"", b"9"),
    )
)


def test_an_agents_page_tells_latencies_in_the_buckets_it_has() -> None:
    for sample in read_twice(AGENT + TTFT):
        (name,) = sample.about.histograms
        assert (sample.about.flows[name.flow].model, name.latency, name.edges) == ("qwen", "ttft", (0.1, 1.0))
        assert sample.histograms == (Histogram((0.1, 1.0), (2, 7, 9), 4.5),)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (b'le="+Inf"', b'le="2.0"'),
        (b'le="0.1"', b'le="fast"'),
        (b'le="0.1"', b'le="NaN"'),
        (b"_seconds_sum", b"_seconds_all"),
    ],
)
def test_what_makes_no_histogram_is_not_told(line: bytes, instead: bytes) -> None:
    for sample in read_twice(AGENT + TTFT.replace(line, instead)):
        assert (sample.about.histograms, sample.histograms) == ((), ())
        assert sample.about.flows == (FlowName(0, "qwen"),)


@pytest.mark.parametrize(("value", "instead"), [(b"} 7\n", b"} 1\n"), (b"} 7\n", b"} NaN\n"), (b"} 4.5", b"} +Inf")])
def test_values_that_make_no_histogram_are_unknown_on_that_page_alone(value: bytes, instead: bytes) -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT + TTFT, 0)
    assert reader.read(AGENT + TTFT.replace(value, instead), SECOND).sample().histograms == (None,)
    assert reader.read(AGENT + TTFT, 2 * SECOND).sample().histograms != (None,)


def test_a_page_whose_histogram_restarted_is_looked_at() -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT + TTFT, 0)
    before = reader.read(AGENT + TTFT, SECOND)
    after = reader.read(AGENT + TTFT.replace(b"} 9\n", b"} 8\n"), 2 * SECOND)
    assert not after.goes_on_from(before)


def test_ranks_of_an_engine_have_histograms_of_their_own() -> None:
    page = (PAGES / "engines" / "vllm-0.10-dp2-1.prom").read_bytes()
    for sample in read_twice(page):
        assert [(name.latency, "engine=" in name.series) for name in sample.about.histograms] == [("ttft", True)] * 2


def test_a_routers_latencies_are_its_engines() -> None:
    page = (PAGES / "engines" / "litellm-1.106.2-tenants-1.prom").read_bytes()
    assert all(sample.histograms == () for sample in read_twice(page))


def test_a_page_of_nothing_known_says_what_it_has() -> None:
    with pytest.raises(ExpositionError, match="a metrics page of nothing that tokwatch knows"):
        PageSamples("box:9100").read(b"go_goroutines 7\n", 0)


def test_a_page_that_turns_into_another_ones_is_read_as_that() -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT, 0)
    page = pages("meters")[4].read_bytes()
    assert reader.read(page, SECOND).sample().about.kind != "tokwatch agent"


def test_a_layout_is_learnt_anew_after_a_while_and_tells_the_same() -> None:
    reader = PageSamples("box:9476")
    first = reader.read(AGENT, 0).sample()
    assert reader.read(AGENT, RELEARN_NS + 1).sample() == first


@pytest.mark.parametrize(
    ("line", "later", "goes_on"),
    [
        (b"5000", b"5001", True),
        (b"5000", b"4999", False),
        (b"1234.567", b"1300", True),
        (b"1234.567", b"3", False),
        (b"1234.567", b"NaN", False),
        (b"512.25", b"1", True),
    ],
)
def test_a_page_can_be_left_unlooked_at_while_no_counter_falls(line: bytes, later: bytes, goes_on: bool) -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT, 0)
    before = reader.read(AGENT, SECOND)
    assert reader.read(AGENT.replace(line, later), 2 * SECOND).goes_on_from(before) is goes_on


def test_a_page_with_other_series_does_not_go_on_from_the_one_before() -> None:
    reader = PageSamples("box:9476")
    reader.read(AGENT, 0)
    before = reader.read(AGENT, SECOND)
    assert not reader.read(AGENT + b'tokwatch_server_up{server="b",engine="vllm"} 1\n', SECOND).goes_on_from(before)
