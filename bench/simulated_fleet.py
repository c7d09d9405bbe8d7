"""A process that is a fleet: N hosts × 8 GPUs as pages on one port, each value a function of the time alone.

    python bench/simulated_fleet.py --hosts 1000 --port 9900 [--core 1]

Pages: /h0001/dcgm (176 series), /h0001/vllm (about 100), /h0001/agent (8 GPUs × 20 and its server, 19 kB).
/h0001/report: the lane of such an agent, a line a second for as long as somebody listens.
Lists for service discovery, or for `--targets`: /sd/dcgm, /sd/vllm, /sd/agent, /sd/report, /sd/all (dcgm and vllm).
/truth?at=UNIX_SECONDS: what every counter stands at, as JSON. /served: pages served and CPU seconds of this process.

Of 50 hosts 44 serve, 3 are parked (a model is loaded, nobody asks), 2 are free, 1 does other work. Each model has its
hosts; region and cluster are labels of the lists. Counters began at EPOCH_S, so that pages of all processes agree.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.simulated_lane import hello_line, report_line

EPOCH_S: Final = 1_790_000_000
GPUS: Final = 8
_MODELS: Final = ("Qwen3-32B", "Llama-3.3-70B", "gpt-oss-120b", "Mistral-Small-24B", "DeepSeek-V3")
_REGIONS: Final = (("eu-north", "oslo"), ("eu-west", "dublin"), ("us-east", "ashburn"))
_TTFT_EDGES: Final = ("0.05", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "10.0", "+Inf")
_TPOT_EDGES: Final = ("0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.5", "+Inf")
_E2E_EDGES: Final = ("1.0", "2.5", "5.0", "10.0", "20.0", "30.0", "60.0", "120.0", "+Inf")
_DONE_TTFT: Final = (0.02, 0.2, 0.7, 0.9, 0.95, 0.97, 0.99, 0.998, 1.0, 1.0)  # cumulative shares
_DONE_TPOT: Final = (0.1, 0.6, 0.9, 0.95, 0.97, 0.99, 1.0, 1.0, 1.0, 1.0)
_DONE_E2E: Final = (0.05, 0.2, 0.5, 0.8, 0.93, 0.97, 0.995, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Host:
    """One box and what it does: "serving", "parked", "free" or "other"."""

    number: int

    @property
    def name(self) -> str:
        return f"h{self.number:04d}"

    @property
    def does(self) -> str:
        place = self.number % 50
        return (
            "free" if place in (13, 37) else "other" if place == 29 else "parked" if place in (7, 21, 43) else "serving"
        )

    @property
    def model(self) -> str:
        return _MODELS[self.number % len(_MODELS)]

    @property
    def region(self) -> tuple[str, str]:
        return _REGIONS[self.number % len(_REGIONS)]

    def uuid(self, gpu: int) -> str:
        return f"GPU-{self.number:08x}-0000-4000-8000-{gpu:012x}"

    # --- what is at an instant, `at_s` since EPOCH_S ----------------------------------------------------------------

    def power_w(self, gpu: int, at_s: float) -> float:
        """Slowly swinging around a mean, so that its integral is known."""
        mean, swing, turn_s, phase = self._swing(gpu)
        return mean + swing * math.sin(2 * math.pi * at_s / turn_s + phase)

    def energy_mj(self, gpu: int, at_s: float) -> int:
        mean, swing, turn_s, phase = self._swing(gpu)
        rounds = 2 * math.pi / turn_s
        return round(1000 * (mean * at_s + swing / rounds * (math.cos(phase) - math.cos(rounds * at_s + phase))))

    def _swing(self, gpu: int) -> tuple[float, float, float, float]:
        mean, swing = {"serving": (520.0, 120.0), "parked": (118.0, 3.0), "free": (66.0, 2.0), "other": (610.0, 20.0)}[
            self.does
        ]
        return mean + self.number % 7, swing, 240.0 + 13 * (self.number % 11), gpu * 0.7 + self.number

    def utilization(self, gpu: int, at_s: float) -> int:
        return {"parked": 0, "free": 0, "other": 97}.get(self.does, 60 + (self.number + gpu + int(at_s)) % 35)

    def memory_mib(self) -> int:
        return {"free": 4, "other": 30_000}.get(self.does, 71_000)

    def requests(self, at_s: float) -> int:
        """Finished so far: each is 700 prompt tokens, 200 of them cached, and 250 output tokens."""
        if self.does == "parked":
            return 100_000
        return int(at_s * (9 + self.number % 5) + 40 * math.sin(at_s / 97 + self.number)) + 100_000

    def running(self, at_s: float) -> int:
        return 0 if self.does == "parked" else 30 + (self.number + int(at_s / 5)) % 20

    def waiting(self, at_s: float) -> int:
        return 0 if self.does == "parked" else max(0, (self.number + int(at_s / 7)) % 12 - 8)

    @property
    def has_server(self) -> bool:
        return self.does in ("serving", "parked")


Page = Callable[[float], bytes]


def dcgm_page(host: Host) -> Page:
    """dcgm-exporter's usual fields."""
    constants = {
        "MEM_CLOCK": "2619", "PCIE_REPLAY_COUNTER": "0", "ENC_UTIL": "0", "DEC_UTIL": "0", "XID_ERRORS": "0",
        "CORRECTABLE_REMAPPED_ROWS": "0", "UNCORRECTABLE_REMAPPED_ROWS": "0", "ROW_REMAP_FAILURE": "0",
        "VGPU_LICENSE_STATUS": "0", "NVLINK_BANDWIDTH_TOTAL": "0", "FB_RESERVED": "622",
    }  # fmt: skip
    changing = {
        "SM_CLOCK": "%d", "MEMORY_TEMP": "%d", "GPU_TEMP": "%d", "POWER_USAGE": "%.3f",
        "TOTAL_ENERGY_CONSUMPTION": "%d", "GPU_UTIL": "%d", "MEM_COPY_UTIL": "%d", "FB_FREE": "%d", "FB_USED": "%d",
    }  # fmt: skip
    lines = []
    for field, value in {**constants, **changing}.items():
        name = f"DCGM_FI_DEV_{field}"
        counter = field.endswith(("CONSUMPTION", "COUNTER"))
        lines += [f"# HELP {name} {field}", f"# TYPE {name} {'counter' if counter else 'gauge'}"]
        for gpu in range(GPUS):
            labels = (
                f'gpu="{gpu}",UUID="{host.uuid(gpu)}",pci_bus_id="00000000:{gpu + 1:02X}:00.0",device="nvidia{gpu}",'
                f'modelName="NVIDIA H100 80GB HBM3",Hostname="{host.name}",DCGM_FI_DRIVER_VERSION="570.86.15"'
            )
            lines.append(f"{name}{{{labels}}} {value}")
    for field in ("GR_ENGINE_ACTIVE", "PIPE_TENSOR_ACTIVE"):
        name = f"DCGM_FI_PROF_{field}"
        lines += [f"# HELP {name} {field}", f"# TYPE {name} gauge"]
        lines += [
            f'{name}{{gpu="{gpu}",UUID="{host.uuid(gpu)}",modelName="NVIDIA H100 80GB HBM3",'
            f'Hostname="{host.name}"}} %.6f'
            for gpu in range(GPUS)
        ]
    template = "\n".join([*lines, ""])

    def page(at_s: float) -> bytes:
        gpus = range(GPUS)
        busy = [host.utilization(gpu, at_s) for gpu in gpus]
        used = host.memory_mib()
        values = [
            *(1980 - each // 10 for each in busy),
            *(40 + each // 3 for each in busy),
            *(34 + each // 3 for each in busy),
            *(host.power_w(gpu, at_s) for gpu in gpus),
            *(host.energy_mj(gpu, at_s) for gpu in gpus),
            *busy,
            *(each // 2 for each in busy),
            *(81_559 - 622 - used for _ in gpus),
            *(used for _ in gpus),
            *(each / 100 for each in busy),
            *(each / 250 for each in busy),
        ]
        return (template % tuple(values)).encode()

    return page


def vllm_page(host: Host) -> Page:
    """vLLM's usual counters, gauges and four histograms."""
    labels = f'engine="0",model_name="{host.model}"'
    template, takes = [], []

    def add(kind: str, name: str, samples: Sequence[tuple[str, str]]) -> None:
        template.extend([f"# HELP vllm:{name} {name}", f"# TYPE vllm:{name} {kind}"])
        for suffix, what in samples:
            template.append(f"vllm:{suffix} %s")
            takes.append(what)

    for name in ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"):
        add("gauge", name, [(f"{name}{{{labels}}}", name)])
    for name in ("prompt_tokens", "generation_tokens", "prefix_cache_queries", "prefix_cache_hits", "num_preemptions"):
        add("counter", name, [(f"{name}_total{{{labels}}}", name)])
    add(
        "counter",
        "request_success",
        [
            (f'request_success_total{{engine="0",finished_reason="{why}",model_name="{host.model}"}}', f"ended {why}")
            for why in ("stop", "length", "abort", "error")
        ],
    )
    for name, edges in (
        ("time_to_first_token_seconds", _TTFT_EDGES),
        ("inter_token_latency_seconds", _TPOT_EDGES),
        ("request_time_per_output_token_seconds", _TPOT_EDGES),
        ("e2e_request_latency_seconds", _E2E_EDGES),
    ):
        samples = [
            (f'{name}_bucket{{engine="0",le="{edge}",model_name="{host.model}"}}', f"{name} {place}")
            for place, edge in enumerate(edges)
        ]
        samples += [(f"{name}_count{{{labels}}}", f"{name} count"), (f"{name}_sum{{{labels}}}", f"{name} sum")]
        add("histogram", name, samples)
    add(
        "gauge",
        "cache_config_info",
        [('cache_config_info{block_size="16",engine="0",num_gpu_blocks="18000"}', "one")],
    )
    text = "\n".join([*template, "process_start_time_seconds " + f"{EPOCH_S}.5", ""])

    def page(at_s: float) -> bytes:
        done = host.requests(at_s)
        values: dict[str, float] = {
            "num_requests_running": host.running(at_s),
            "num_requests_waiting": host.waiting(at_s),
            "kv_cache_usage_perc": min(0.99, host.running(at_s) / 60),
            "prompt_tokens": done * 700,
            "generation_tokens": done * 250,
            "prefix_cache_queries": done * 700,
            "prefix_cache_hits": done * 200,
            "num_preemptions": 0,
            "ended stop": done - done // 10,
            "ended length": done // 10,
            "ended abort": 0,
            "ended error": 0,
            "one": 1,
        }
        for name, shares, count, mean in (
            ("time_to_first_token_seconds", _DONE_TTFT, done, 0.22),
            ("inter_token_latency_seconds", _DONE_TPOT, done * 249, 0.024),
            ("request_time_per_output_token_seconds", _DONE_TPOT, done, 0.024),
            ("e2e_request_latency_seconds", _DONE_E2E, done, 6.2),
        ):
            values |= {f"{name} {place}": int(count * share) for place, share in enumerate(shares)}
            values[f"{name} count"], values[f"{name} sum"] = count, count * mean
        return (text % tuple(float(values[what]) for what in takes)).encode()

    return page


def agent_page(host: Host) -> Page:
    """What tokwatch's own agent tells: 20 series of each GPU, and its server's."""
    lines: list[str] = ['tokwatch_build_info{version="0.1.0"} 1']
    fields = (
        ("gpu_power_watts", "gauge", "%.3f"),
        ("gpu_energy_joules_total", "counter", "%.3f"),
        ("gpu_idle_energy_joules_total", "counter", "%.3f"),
        ("gpu_observed_seconds_total", "counter", "%.3f"),
        ("gpu_utilization_ratio", "gauge", "%.3f"),
        ("gpu_memory_used_bytes", "gauge", "%d"),
        ("gpu_memory_total_bytes", "gauge", "85899345920"),
        ("gpu_temperature_celsius", "gauge", "%d"),
    )
    for name, kind, value in fields:
        lines.append(f"# TYPE tokwatch_{name} {kind}")
        lines += [f"tokwatch_{name}{{{_gpu(host, gpu)}}} {value}" for gpu in range(GPUS)]
    for name, kind, value in (("gpu_state", "gauge", "%d"), ("gpu_state_seconds_total", "counter", "%.3f")):
        lines.append(f"# TYPE tokwatch_{name} {kind}")
        for gpu in range(GPUS):
            lines += [
                f'tokwatch_{name}{{{_gpu(host, gpu)},state="{state}"}} {value}'
                for state in ("serving", "parked", "held", "unallocated", "other_work", "unknown")
            ]
    if host.has_server:
        server = f'server="127.0.0.1:8000",engine="vllm",model="{host.model}"'
        lines += [
            f"tokwatch_{name}{{{server}}} %d"
            for name in (
                "prompt_tokens_total", "cached_tokens_total", "output_tokens_total", "requests_running",
                "requests_waiting", "server_up",
            )
        ]  # fmt: skip
        lines.append(f'tokwatch_requests_total{{{server},outcome="finished"}} %d')
        lines.append(f"tokwatch_kv_cache_usage_ratio{{{server}}} %.4f")
    template = "\n".join([*lines, ""])
    place = {"serving": 0, "parked": 1, "free": 3, "other": 4}[host.does]
    one_hot = [int(each == place) for each in range(6)]
    idle = host.does in ("parked", "free")

    def page(at_s: float) -> bytes:
        gpus = range(GPUS)
        energy_j = [host.energy_mj(gpu, at_s) / 1000 for gpu in gpus]
        busy = [host.utilization(gpu, at_s) for gpu in gpus]
        values: list[float] = [
            *(host.power_w(gpu, at_s) for gpu in gpus),
            *energy_j,
            *(each if idle else 0.0 for each in energy_j),
            *(at_s for _ in gpus),
            *(each / 100 for each in busy),
            *(host.memory_mib() << 20 for _ in gpus),
            *(34 + each // 3 for each in busy),
            *(one_hot * GPUS),
            *([at_s * each for each in one_hot] * GPUS),
        ]
        if host.has_server:
            done = host.requests(at_s)
            values += [done * 700, done * 200, done * 250, host.running(at_s), host.waiting(at_s), 1, done]
            values.append(min(0.99, host.running(at_s) / 60))
        return (template % tuple(values)).encode()

    return page


def _gpu(host: Host, gpu: int) -> str:
    return f'gpu="{gpu}",uuid="{host.uuid(gpu)}",model_name="NVIDIA H100 80GB HBM3"'


def truth(hosts: Sequence[Host], at_s: float) -> dict[str, object]:
    """Counters as they stand, added up by model and over all; `at_s` since EPOCH_S."""
    by_model: dict[str, dict[str, int]] = {}
    for host in hosts:
        if host.has_server:
            model = by_model.setdefault(host.model, {"prompt": 0, "cached": 0, "output": 0, "requests": 0})
            done = host.requests(at_s)
            for key, times in (("prompt", 700), ("cached", 200), ("output", 250), ("requests", 1)):
                model[key] += done * times
    energy_mj = {host.name: sum(host.energy_mj(gpu, at_s) for gpu in range(GPUS)) for host in hosts}
    return {
        "at": at_s + EPOCH_S,
        "models": by_model,
        "energy_mj": sum(energy_mj.values()),
        "energy_mj_by_host": energy_mj,
    }


class Fleet:
    """All pages, rendered when they are asked for."""

    def __init__(self, hosts: int, port: int) -> None:
        self.hosts = [Host(number) for number in range(1, hosts + 1)]
        self.port = port
        self.served = 0  # pages, and lines of lanes
        makers: dict[str, Callable[[Host], Page]] = {"dcgm": dcgm_page, "vllm": vllm_page, "agent": agent_page}
        self._pages = {
            f"/{host.name}/{kind}".encode(): make(host)
            for host in self.hosts
            for kind, make in makers.items()
            if kind != "vllm" or host.has_server
        }

    def lane(self, target: bytes) -> Host | None:
        """Whose lane a request target is."""
        _, name, path = (*target.split(b"/"), b"", b"")[:3]
        if path != b"report" or not name[1:].isdigit() or not 1 <= int(name[1:]) <= len(self.hosts):
            return None
        return self.hosts[int(name[1:]) - 1]

    def answer(self, target: bytes) -> bytes:
        """The body for a request target; b"" where there is none."""
        page = self._pages.get(target)
        if page is not None:
            self.served += 1
            return page(time.time() - EPOCH_S)
        parts = urlsplit(target.decode("latin-1"))
        if parts.path.startswith("/sd/"):
            return json.dumps(self._targets(parts.path.removeprefix("/sd/"))).encode()
        if parts.path == "/truth":
            at_s = float(parse_qs(parts.query).get("at", [str(time.time())])[0]) - EPOCH_S
            return json.dumps(truth(self.hosts, at_s)).encode()
        if parts.path == "/served":
            spent = os.times()
            return json.dumps({"pages": self.served, "cpu_s": spent.user + spent.system}).encode()
        return b""

    def _targets(self, which: str) -> list[dict[str, object]]:
        kinds = {"all": ("dcgm", "vllm")}.get(which, (which,))
        ports = {"dcgm": 9400, "vllm": 8000, "agent": 9476, "report": 9476}
        return [
            {
                "targets": [f"127.0.0.1:{self.port}"],
                "labels": {
                    "__metrics_path__": f"/{host.name}/{kind}",
                    "instance": f"{host.name}:{ports[kind]}",
                    "region": host.region[0],
                    "cluster": host.region[1],
                },
            }
            for host in self.hosts
            for kind in kinds
            if kind == "report" or f"/{host.name}/{kind}".encode() in self._pages
        ]


class _Connection(asyncio.Protocol):
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for request in requests:
            target = request.split(b" ", 2)[1]
            host = self._fleet.lane(target)
            if host is not None:
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n")
                self._transport.write(hello_line(host, EPOCH_S))
                self._tell(host, asyncio.get_running_loop().time())
                continue
            body = self._fleet.answer(target)
            kind = b"application/json" if body[:1] in (b"[", b"{") else b"text/plain; version=0.0.4; charset=utf-8"
            status = b"200 OK" if body else b"404 Not Found"
            head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body))
            self._transport.write(head + body)

    def _tell(self, host: Host, at: float) -> None:
        """A line a second, until nobody listens. at: by the loop's clock."""
        if self._transport.is_closing():
            return
        self._fleet.served += 1
        self._transport.write(report_line(host, EPOCH_S, time.time() - EPOCH_S))
        asyncio.get_running_loop().call_at(at + 1, self._tell, host, at + 1)


async def _serve(hosts: int, port: int) -> None:
    loop = asyncio.get_running_loop()
    fleet = Fleet(hosts, port)
    server = await loop.create_server(lambda: _Connection(fleet), "127.0.0.1", port, backlog=4096)
    fleet.port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{fleet.port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    asyncio.run(_serve(options.hosts, options.port))
