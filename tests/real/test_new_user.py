"""A new user in tmux beside a real vLLM: which GPU is wasted, why, since when, what it cost, and that day as a file."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.new_user import STEPS, Tmux, tell
from tests.real.clients import load_for
from tests.real.engines import engine_core
from tests.real.recording import Tokwatch
from tests.real.served import secret_file
from tests.real.test_vllm import a_vllm

pytestmark = pytest.mark.real

_LOAD_S = 60.0
_WASTED = (r"▾IDLE \$", r"▌\s*1  . free .*0\.0[1-9]")  # GPU 1, and cents of it


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_she_finds_the_wasted_gpu_its_reason_its_cost_and_its_beginning(
    tmp_path: Path, columns: int, rows: int
) -> None:
    vllm = a_vllm(tmp_path)
    config = f'[[servers]]\nurl = "{vllm.api.url}"\ntoken_file = "{secret_file(tmp_path, vllm.key)}"\n'
    with vllm.running() as server:
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config, pids=(engine_core(server),))
        files = ("--store", str(tokwatch.folder / "store.db"), "--config", str(tokwatch.folder / "config.toml"))
        own = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        tmux = Tmux(
            (sys.executable, "-m", "tokwatch", *files), columns, rows, tmp_path, {**tokwatch.environment, **own}
        )
        try:
            tmux.wait_for("LIVE", r"0  ● serving|0  . \w+", within_s=60)
            requests = asyncio.run(load_for(vllm.api, clients=4, seconds=_LOAD_S))
            story = tell(tmux, (replace(STEPS[0], reads=_WASTED), *STEPS[1:]))
            tmux.press("q")
        finally:
            tmux.close()
    for step, screen in story:
        print(f"\n=== {step.goal}: {len(step.keys)} keys ({' '.join(step.keys)})\n{screen}")
    print(len(requests), "requests")
    (exported,) = tmp_path.glob("tokwatch-*.csv")
    assert exported.read_text().count("\n") >= 3  # a heading, and an hour of each GPU
