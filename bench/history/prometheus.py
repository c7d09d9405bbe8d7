"""Prometheus holding samples as TSDB blocks, made by its own promtool."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.history.processes import ENVIRONMENT, binary, folder_bytes, free_address, serving
from bench.history.series import Samples

_FOR_EVER = "100y"


@dataclass(frozen=True, slots=True)
class Blocks:
    """Bytes of TSDB blocks."""

    chunks: int
    index: int
    samples: int  # as the blocks' own meta.json counts them

    @property
    def total(self) -> int:
        return self.chunks + self.index


def make_blocks(samples: Samples, folder: Path) -> Blocks:
    """Blocks of the samples, in a new folder."""
    promtool = binary("promtool", "TOKWATCH_BENCH_PROMTOOL")
    text = folder.with_suffix(".openmetrics")
    with text.open("w") as file:
        for each in samples.series:
            labels = ",".join(f'{name}="{value}"' for name, value in each.labels.items())
            key = f"{each.metric}{{{labels}}}"
            file.writelines(
                f"{key} {value!r} {at_ms / 1000:.3f}\n"
                for at_ms, value in zip(each.times_ms, each.values(), strict=True)
            )
        file.write("# EOF\n")
    try:
        command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(folder)]
        made = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(f"promtool made no blocks: {made.stderr[-2000:]}")
    finally:
        text.unlink()
    told = [json.loads(meta.read_text())["stats"]["numSamples"] for meta in folder.glob("*/meta.json")]
    return Blocks(folder_bytes(folder, "*/chunks/*"), folder_bytes(folder, "*/index"), sum(told))


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Its URL, while it serves the blocks in a folder."""
    program = binary("prometheus", "TOKWATCH_BENCH_PROMETHEUS")
    config = folder.with_suffix(".yml")
    config.write_text("scrape_configs: []\n")
    address = free_address()
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}",
        f"--storage.tsdb.retention.time={_FOR_EVER}",
        f"--web.listen-address={address}",
        "--query.max-samples=100000000",
        "--log.level=error",
    ]
    with serving(command, address, "/-/ready", folder.with_suffix(".log")) as url:
        yield url
