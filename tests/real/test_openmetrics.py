"""A real Prometheus takes up what `export openmetrics` writes, and PromQL counts the tokens, joules and dollars of it.

It takes a minute: some hours of the demo's fleet are played, exported, made into blocks by promtool, and asked for.
"""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.real.processes import answers, free_port, required, running, wait_until
from tokwatch.demo.play import play
from tokwatch.demo.week import week
from tokwatch.exports.hourly import Asked as AskedTable
from tokwatch.exports.hourly import export_hourly
from tokwatch.exports.openmetrics.export import Asked, export_openmetrics
from tokwatch.exports.tables import By

pytestmark = pytest.mark.real

_HOURS = 7.3  # within a quarter hour: the last samples are where the recording ends


class Prometheus:
    """One on loopback that scrapes nothing, over the blocks in a folder."""

    def __init__(self, program: str, blocks: Path, folder: Path) -> None:
        self._program, self._blocks, self._folder = program, blocks, folder
        self.url = f"http://127.0.0.1:{free_port()}"

    @contextmanager
    def running(self) -> Iterator[None]:
        config = self._folder / "prometheus.yml"
        config.write_text("scrape_configs: []\n")
        command = [
            self._program,
            f"--config.file={config}",
            f"--storage.tsdb.path={self._blocks}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        with running(command, {}, self._folder / "prometheus.txt", end_within_s=10):
            wait_until(lambda: answers(f"{self.url}/-/ready"), "Prometheus is ready", within_s=30)
            yield

    def values(self, query: str, at_s: float, label: str) -> dict[str, float]:
        """An instant vector by one of its labels."""
        asked = urllib.parse.urlencode({"query": query, "time": at_s})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=60) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return {each["metric"].get(label, ""): float(each["value"][1]) for each in found}


def blocks_of(promtool: str, text: Path, folder: Path) -> str:
    """What promtool says of the blocks that it made."""
    made = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", text, folder],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def table_totals(store: Path, by: By, column: str, key: str) -> dict[str, float]:
    """A column of `export hourly`, added up by another one."""
    out = io.BytesIO()
    export_hourly(store, AskedTable(by=by, format="jsonl", simulated=True), out)
    found: dict[str, float] = defaultdict(float)
    for line in out.getvalue().splitlines():
        row = json.loads(line)
        if row[column]:
            found[row[key] or ""] += row[column]
    return dict(found)


def test_promql_counts_what_the_hourly_tables_do(tmp_path: Path) -> None:
    prometheus, promtool = required("TOKWATCH_REAL_PROMETHEUS", "TOKWATCH_REAL_PROMTOOL")
    store, text, blocks = tmp_path / "store.db", tmp_path / "store.om", tmp_path / "blocks"
    asyncio.run(play(*week(), store, until_s=_HOURS * 3600))
    with text.open("wb") as out:
        samples = export_openmetrics(store, Asked(simulated=True), out).samples
    print(f"{samples} samples, {text.stat().st_size / 1e6:.1f} MB")
    print(blocks_of(promtool, text, blocks))
    end_s = max(float(line.rsplit(" ", 1)[1]) for line in text.read_text().splitlines() if not line.startswith("#"))

    server = Prometheus(prometheus, blocks, tmp_path)
    with server.running():

        def total(name: str, label: str) -> dict[str, float]:
            counted = f"sum by ({label}) (max_over_time({name}[1d]) - min_over_time({name}[1d]))"
            found = server.values(counted, end_s, label)
            print(f"{name}: {sum(found.values())!r}")
            return {key: value for key, value in found.items() if value}

        joules = table_totals(store, "gpu", "energy_board_j", "gpu_uuid")
        counted = total("tokwatch_gpu_energy_joules_total", "uuid")
        assert {gpu: round(of * 1000) for gpu, of in counted.items()} == {
            gpu: round(of * 1000) for gpu, of in joules.items()
        }
        dollars = table_totals(store, "gpu", "cost_total_usd", "gpu_uuid")
        assert total("tokwatch_cost_dollars_total", "uuid") == pytest.approx(dollars, abs=1e-9)
        by_model = table_totals(store, "model", "cost_total_usd", "model")
        assert total("tokwatch_cost_dollars_total", "model") == pytest.approx(by_model, abs=1e-9)
        for name, column in (
            ("tokwatch_output_tokens_total", "tokens_out"),
            ("tokwatch_prompt_cached_tokens_total", "tokens_in_cached"),
            ("tokwatch_finished_requests_total", "requests_completed"),
        ):
            assert total(name, "model") == table_totals(store, "model", column, "model")
