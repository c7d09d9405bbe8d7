"""VictoriaMetrics holding samples, imported by its HTTP API and merged into as few parts as it makes."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.history.processes import binary, folder_bytes, free_address, get, serving
from bench.history.series import Samples

_MERGED_WITHIN_S, _STILL_S = 300.0, 3.0


@dataclass(frozen=True, slots=True)
class Folder:
    """Bytes on the disk."""

    data: int  # samples: values, times and the index of blocks
    whole: int  # and the index of labels


def load(samples: Samples, folder: Path) -> Folder:
    """Import the samples into a new folder."""
    with victoria_metrics(folder) as url:
        for each in samples.series:
            line = {
                "metric": {"__name__": each.metric, **each.labels},
                "values": list(each.values()),
                "timestamps": each.times_ms.tolist(),
            }
            body = json.dumps(line).encode()
            with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/import", data=body), timeout=300):
                pass
        get(f"{url}/internal/force_flush")
        get(f"{url}/internal/force_merge")
        _wait_until_still(folder / "data")
    return Folder(folder_bytes(folder, "data/**/*"), folder_bytes(folder))


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[str]:
    """Its URL, while it serves a folder."""
    program = binary("victoria-metrics", "TOKWATCH_BENCH_VICTORIA_METRICS")
    address = free_address()
    command = [
        program,
        f"-storageDataPath={folder}",
        f"-httpListenAddr={address}",
        "-retentionPeriod=100y",
        "-loggerLevel=ERROR",
    ]
    with serving(command, address, "/health", folder.with_suffix(".log")) as url:
        yield url


def _wait_until_still(folder: Path) -> None:
    """Merging goes on in the background and says nothing when it is done: its files stay as they are."""
    before, still_since_s = -1, time.monotonic()
    deadline_s = still_since_s + _MERGED_WITHIN_S
    while time.monotonic() < min(deadline_s, still_since_s + _STILL_S):
        if (now := folder_bytes(folder)) != before:
            before, still_since_s = now, time.monotonic()
        time.sleep(0.2)
