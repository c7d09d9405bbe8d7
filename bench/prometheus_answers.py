"""What reading a Prometheus' answer costs: the power of 8000 GPUs with all its labels, and of 800 hosts.

    python bench/prometheus_answers.py [--rounds 25]

ours       collectors.prometheus.decoding.vector, which knows the label sets from the answer before
first      the same when it has never seen them
json       json.loads alone, without making anything of what it gives
msgspec    msgspec's typed decoder with a dict of labels for each series, and float() of each value

The values of each answer differ, its labels do not. Ours and json must give equal series before anything is timed; then
they take turns, round by round, so that all see the same machine. Medians, and the median of each round's ratio.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from collectors.labels import clean_label
from collectors.prometheus.decoding import LabelSets, vector


class Point(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class Data(msgspec.Struct):
    resultType: str
    result: list[Point]


class Reply(msgspec.Struct):
    status: str
    data: Data


TYPED = msgspec.json.Decoder(Reply)


def gpu_power(gpus: int, random_: random.Random) -> bytes:
    """DCGM's power gauge as Prometheus answers it."""
    series = [
        {
            "metric": {
                "__name__": "DCGM_FI_DEV_POWER_USAGE",
                "DCGM_FI_DRIVER_VERSION": "570.86.15",
                "Hostname": f"gpu-host-{i // 8:04d}",
                "UUID": f"GPU-{i:08x}-4c1f-6a3b-9d2e-{i * 7919 % 2**32:012x}",
                "device": f"nvidia{i % 8}",
                "gpu": str(i % 8),
                "instance": f"gpu-host-{i // 8:04d}:9400",
                "job": "dcgm",
                "modelName": "NVIDIA H100 80GB HBM3",
                "pci_bus_id": f"00000000:{0x1B + i % 8 * 16:02X}:00.0",
            },
            "value": [1_795_316_692.645, f"{random_.uniform(70, 700):.3f}"],
        }
        for i in range(gpus)
    ]
    return json.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": series}}, separators=(",", ":")
    ).encode()


def host_power(hosts: int, random_: random.Random) -> bytes:
    """A sum by host."""
    series = [
        {"metric": {"Hostname": f"gpu-host-{i:04d}"}, "value": [1_795_316_692.645, repr(random_.uniform(500, 5000))]}
        for i in range(hosts)
    ]
    return json.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": series}}, separators=(",", ":")
    ).encode()


def msgspec_typed(body: bytes) -> list[float]:
    return [float(point.value[1]) for point in TYPED.decode(body).data.result]


def check_equal(body: bytes, sets: LabelSets) -> None:
    ours = vector(body, sets, 0.0)
    told = json.loads(body)["data"]["result"]
    assert list(ours.labels) == [{name: clean_label(value) for name, value in s["metric"].items()} for s in told]
    assert list(ours.values) == [float(s["value"][1]) for s in told]


def measure(name: str, bodies: list[bytes], rounds: int) -> None:
    known = LabelSets()
    check_equal(bodies[0], known)
    ways: dict[str, Callable[[bytes], object]] = {
        "ours": lambda body: vector(body, known, 0.0),
        "first": lambda body: vector(body, LabelSets(), 0.0),
        "msgspec": msgspec_typed,
        "json": json.loads,
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way, read in ways.items():
            body = bodies[turn % len(bodies)]
            started_s = time.perf_counter()
            read(body)
            taken[way].append(time.perf_counter() - started_s)
    size = len(bodies[0])
    print(f"{name}: {size / 1e6:.2f} MB, {len(gzip.compress(bodies[0])) / 1e3:.0f} kB packed")
    for way, seconds in taken.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(seconds, taken["json"], strict=True))
        print(f"  {way:8} {statistics.median(seconds) * 1e3:7.2f} ms  {ratio:5.2f} × json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    random_ = random.Random(1)
    measure("power of 8000 GPUs", [gpu_power(8000, random_) for _ in range(4)], rounds)
    measure("power of 800 hosts", [host_power(800, random_) for _ in range(4)], rounds)


if __name__ == "__main__":
    main()
