"""A box to watch: eight GPUs of the tests' NVML stub, two vLLM pages that another process serves, and its config."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.nvml_stub.stub import stub_environment

ROOT = Path(__file__).parent.parent

_PAGES = """
import asyncio, sys
from tokwatch.demo.box import open_demo
from tokwatch.feeds.clock import SystemClock
async def main():
    box = await open_demo(SystemClock())
    print(*(page.address for page in box.pages), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
GPU = """
gpu NVIDIA H100 80GB HBM3
uuid GPU-00000000-0000-0000-0000-00000000000{i}
pci 00000000:0{i}:00.0
limit_w 700
memory_mib 81559
memory_used_mib 70000
power_w 500
power_w sine 80 {period}
utilization_percent 80
utilization_percent sine 15 {period}
temperature_c 60
sm_clock_mhz 1980
"""


@dataclass(frozen=True, slots=True)
class StubBox:
    """What a program is started with there."""

    folder: Path
    environment: dict[str, str]

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def tokwatch(self, *arguments: str | Path, store: Path | None = None) -> list[str]:
        """As the console script starts it: `-m` would import `runpy` first."""
        code = "import sys; from tokwatch.__main__ import main; sys.exit(main())"
        at = ("--store", store or self.store, "--config", self.folder / "config.toml")
        return [sys.executable, "-c", code, *map(str, (*at, *arguments))]


@contextmanager
def stub_box() -> Iterator[StubBox]:
    """Pages are served until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as name:
        folder = Path(name)
        (folder / "gpus.txt").write_text("".join(GPU.format(i=i, period=3 + i) for i in range(8)))
        environment = {
            **stub_environment(folder / "gpus.txt"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        serving = subprocess.Popen([sys.executable, "-c", _PAGES], stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert serving.stdout is not None
            addresses = serving.stdout.readline().split()
            (folder / "config.toml").write_text(
                "discover = false\n[prices]\nusd_per_gpu_hour = 2.25\n"
                + "".join(
                    f'[[servers]]\nurl = "http://{address}/metrics"\ngpus = [{gpus}]\n'
                    for address, gpus in zip(addresses, ("0, 1, 2, 3", "4"), strict=False)
                )
            )
            yield StubBox(folder, environment)
        finally:
            serving.kill()
            serving.wait()
