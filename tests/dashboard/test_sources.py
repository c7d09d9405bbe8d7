"""What Sources tells of devices and servers."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from tests.dashboard import snapshots
from tests.dashboard.snapshots import BOX, GPUS, SERVERS
from tokwatch.dashboard.screens.sources import _write_probes
from tokwatch.dashboard.screens.sources_gpus import write_gpus
from tokwatch.dashboard.screens.sources_servers import write_servers
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.document import Page
from tokwatch.ledger.snapshot import Figure, GpuRow, Interval, ProbeRow, ServerRow, Snapshot


def written(write: Callable[[Page, Snapshot], None], snapshot: Snapshot, width: int = 120) -> list[str]:
    page = Page(width, Look())
    write(page, snapshot)
    return [line.text().rstrip() for line in page.lines]


def facts(lines: list[str]) -> dict[str, str]:
    """Label → text; what is wrapped is joined."""
    found: dict[str, str] = {}
    label = ""
    for line in lines:
        label = line[14:27].strip() or label
        if line[:14].strip() == "" and line[27:28] == " ":
            found[label] = f"{found.get(label, '')} {line[28:]}".strip()
    return found


def of_gpus(*rows: GpuRow) -> list[str]:
    return written(write_gpus, replace(BOX, gpus=rows))


def of_server(server: ServerRow) -> dict[str, str]:
    return facts(written(write_servers, replace(BOX, servers=(server,))))


# --- GPUs -------------------------------------------------------------------------------------------------------------


def test_equal_gpus_are_told_of_once() -> None:
    lines = of_gpus(*GPUS)
    assert lines[0] == " GPUS  power measured on 8 of 8"
    assert [line for line in lines if "●" in line] == ["    ● ok      GPUs 0–7  NVIDIA H100 80GB HBM3"]
    told = facts(lines)
    assert told["read by"] == "NVML, watts of the board"
    assert told["activity"] == "tensor cores 31–38 %, device memory 62 %"


def test_a_gpu_whose_watts_are_unknown_stands_apart_and_says_why() -> None:
    lines = of_gpus(GPUS[0], replace(GPUS[1], power_w=Figure(None, "no permission")))
    assert "    × no W    GPU 1  NVIDIA H100 80GB HBM3" in lines
    assert "NVML, no watts: no permission" in "".join(lines)


def test_activity_that_a_device_does_not_tell_has_its_reason() -> None:
    unsupported = Figure(None, "unsupported")
    old = replace(GPUS[0], tensor_activity=unsupported, dram_activity=unsupported)
    assert facts(of_gpus(old))["activity"] == "tensor cores and device memory: unsupported"
    half = replace(GPUS[0], dram_activity=unsupported)
    assert facts(of_gpus(half))["activity"] == "tensor cores 31 %, device memory: unsupported"


def test_instances_are_counted_by_profile_and_have_no_watts() -> None:
    mig = facts(of_gpus(replace(GPUS[0], mig=("1g.10gb", "3g.40gb", "1g.10gb"))))["MIG"]
    assert mig.startswith("2× 1g.10gb, 1× 3g.40gb; they have no watts of their own")


def test_slowed_clocks_are_told_by_reason_and_the_last_xid_with_its_moment() -> None:
    told = facts(written(write_gpus, snapshots.shared_and_ailing()))
    assert told["clocks"] == "power brake (GPU 2–3); power cap (GPU 2–4)"
    assert told["last Xid"] == "GPU 4, 04 May 13:58:03: Xid 79: GPU fell off the bus"


def test_a_reason_that_slows_all_devices_names_none() -> None:
    slowed = tuple(replace(row, throttle=("idle",)) for row in GPUS)
    assert facts(of_gpus(*slowed))["clocks"] == "idle"


def test_the_processors_are_told_by_their_name() -> None:
    lines = written(write_gpus, snapshots.processors())
    assert lines[0] == " CPU  power measured on 1 of 1"
    assert lines[2] == "    ● ok      CPU  AMD Ryzen 9 7940HS"
    assert facts(lines)["read by"] == "RAPL, watts of the processor packages alone"
    assert "activity" not in facts(lines)


# --- servers ----------------------------------------------------------------------------------------------------------


def test_a_server_says_where_it_stands_and_what_is_counted_there() -> None:
    router = of_server(replace(SERVERS[0], layer="router", deployment="chat", counts="shown, counted at its engines"))
    assert (router["role"], router["in totals"]) == ("router of deployment chat", "shown, counted at its engines")
    prefill = of_server(replace(SERVERS[0], role="prefill"))
    assert prefill["role"] == "prefill"
    assert "role" not in of_server(SERVERS[0])


def test_deployment_facts_stand_in_one_line_without_the_process() -> None:
    several = (("tensor parallel", "4"), ("precision", "fp8"), ("engine version", "0.11.0"), ("pid", "4100"))
    told = of_server(replace(SERVERS[0], facts=several))
    assert told["runs with"] == "tensor parallel 4, precision fp8, engine version 0.11.0"
    assert told["owner"] == "ml, process 4100"


def test_what_a_server_makes_stands_with_its_marks_or_why_it_is_not_known() -> None:
    assert of_server(SERVERS[0])["makes"] == "6 204 tok/s, 2.55 tok/s/W, $0.42 per M output"
    shared = snapshots.shared_and_ailing().servers[0]
    told = of_server(replace(shared, usd_per_m_output=Figure(None, "no tokens", infinite=True)))["makes"]
    assert told.startswith("6 204 tok/s, ∞ per M output, – tok/s/W (shares its GPUs: tokens per watt are told per GPU")
    assert "÷$0.42 per M output" in of_server(shared)["makes"]


def test_a_reason_that_several_figures_have_is_told_once() -> None:
    nowhere = Figure(None, "placed on no GPU")
    told = of_server(replace(SERVERS[0], tok_per_j=nowhere, usd_per_m_output=nowhere))["makes"]
    assert told == "6 204 tok/s, – tok/s/W, – per M output (placed on no GPU)"


def test_an_engine_that_no_gpu_is_found_for_says_how_to_name_one() -> None:
    assert "name them: gpus = [0]" in of_server(replace(SERVERS[0], gpus=()))["runs on"]
    assert "runs on" not in of_server(replace(SERVERS[0], gpus=(), layer="router"))
    processors = replace(snapshots.processors(), servers=(replace(SERVERS[0], gpus=()),))
    assert "runs on" not in facts(written(write_servers, processors))


def test_a_server_that_is_down_says_so_once() -> None:
    why = Figure(None, "connection refused")
    down = of_server(replace(SERVERS[0], up=False, problem="connection refused", tok_s=why, tok_per_j=why))
    assert down["problem"] == "connection refused"
    assert "makes" not in down


def test_latencies_stand_with_their_bucket_and_how_many_they_are_of() -> None:
    told = of_server(SERVERS[0])
    assert told["seconds"].split() == ["p50", "p95", "p99", "samples"]
    assert told["TTFT"].split("  ") == ["0.10–0.25", "", "0.25–0.50", "", "> 0.50", "", "", " 2 400"]
    assert told["per token"].endswith("(TPOT)")
    assert "ITL" not in told


def test_the_share_within_the_slo_says_what_it_is_worth() -> None:
    told = of_server(SERVERS[0])
    assert told["within it"] == "97.2–98.9 % of requests; misses 99 %"
    assert told["each alone"] == "TTFT 99.1–99.8 %, TPOT 98.1–98.9 %"
    few = replace(SERVERS[0], slo_met=Interval(8 / 11, 9 / 11, "few requests: 8–9 of 11", n=11), slo_verdict="")
    assert of_server(few)["within it"] == "72.7–81.8 % of requests; few requests: 8–9 of 11"
    unknown = replace(SERVERS[0], slo_met=Interval(None, None, "its time per token includes prefill"))
    assert of_server(unknown)["within it"] == "– its time per token includes prefill"


def test_what_is_missing_is_told_by_what_is_lost() -> None:
    lost = (
        ("failed", "failed requests"),
        ("kv_usage", "KV cache usage"),
        ("ttft", "all latencies: the engine has no histograms"),
    )
    lines = written(write_servers, replace(BOX, servers=(replace(SERVERS[0], missing=lost),)))
    assert "              missing       failed requests, KV cache usage" in lines
    assert "              missing       all latencies: the engine has no histograms" in lines


def test_series_that_another_server_has_too_are_not_listed_again() -> None:
    first, second = SERVERS[0], replace(SERVERS[0], address="127.0.0.1:8009")
    lines = written(write_servers, replace(BOX, servers=(first, second)))
    assert sum("generation_tokens_total" in line for line in lines) == 1
    assert lines[-1].endswith("4 series, the same read and the same missing as of 127.0.0.1:8000")


# --- probes -----------------------------------------------------------------------------------------------------------


def test_one_probe_is_one() -> None:
    def heading(probes: tuple[ProbeRow, ...]) -> str:
        return written(lambda page, box: _write_probes(page, box), replace(BOX, probes=probes))[0]

    fine, failed = ProbeRow("NVIDIA driver", True, "580.82", ""), ProbeRow("inference servers", False, "none", "")
    assert heading((fine,)) == " WHERE TOKWATCH LOOKED  1 probe"
    assert heading((fine, failed)) == " WHERE TOKWATCH LOOKED  2 probes, 1 failed"
