"""`tokwatch frontier` on a store: the table, the JSON, another time, and benchmarks beside it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.ledger.capacity.served import EVERY_S, FIVE_S, MET, Served
from tests.ledger.readings import NOON_MS
from tokwatch.cli import run
from tokwatch.exits import Exit
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.store.writer import Writer

BOXED = msgspec.structs.replace(MET, box=Box(tok_s_per_user_at_least=40))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes at 500 tok/s out per GPU, and five at twice that."""
    served = Served(BOXED)
    served.serve(FIVE_S)
    served.serve(FIVE_S + EVERY_S, out_s=2_000, prompt_s=1_000)
    path = tmp_path_factory.mktemp("frontier") / "store.db"
    writer = Writer(path)
    writer.open()
    writer.begin_run(served.box.run)
    for record in served.box.records:
        writer.submit(record)
    assert writer.close(10)
    return path


def answer(store: Path, *words: str) -> int:
    config = store.with_name("config.toml")
    config.touch()
    return run(["frontier", "--store", str(store), "--config", str(config), *words])


def test_each_deployment_has_a_table(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(store) == Exit.DONE
    out = capsys.readouterr().out
    assert out.startswith("Qwen/Qwen3-32B   2 GPUs   25-50 % of the computed tokens are prompt\n")
    assert "computed tok/s per GPU, learnt in the five minutes to 2026-11-21T12:10:00Z" in out
    assert "at least 40 tok/s per user" in out
    assert "inside" in out
    (best,) = (line for line in out.splitlines() if line.startswith("  best"))
    assert best.split()[3] == "1,000"


def test_json_has_the_rows_whole(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(store, "--json") == Exit.DONE
    (row,) = json.loads(capsys.readouterr().out)["deployments"]
    assert row["utilisation"]["value"] == pytest.approx(1, rel=0.02)
    assert row["frontier"][-1]["output_tok_s_per_gpu"] == pytest.approx(1_000, rel=0.02)


def test_until_shows_how_it_was_then(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(store, "--json", "--until", "2026-11-21T12:03") == Exit.DONE
    (row,) = json.loads(capsys.readouterr().out)["deployments"]
    assert [point["output_tok_s_per_gpu"] for point in row["frontier"]] == [500]
    assert row["capacity_tok_s_per_gpu"]["value"] is None


def test_since_makes_the_frontier_of_these_windows(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(store, "--json", "--since", "2026-11-21T12:08") == Exit.DONE
    (row,) = json.loads(capsys.readouterr().out)["deployments"]
    assert all(point["from_ms"] >= NOON_MS + 7 * 60_000 for point in row["frontier"])


def test_benchmarks_stand_beside_it(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,tok_s_per_user,output_tok_s_per_gpu\nbench 2 Nov,26,1330\n")
    assert answer(store, "--references", str(file)) == Exit.DONE
    assert "bench 2 Nov  mine.csv" in capsys.readouterr().out


def test_a_file_that_is_no_benchmark_is_one_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name\nx\n")
    assert answer(store, "--references", str(file)) == Exit.FAILED
    assert capsys.readouterr().err == f"tokwatch: {file}: line 2: it has no tok_s_per_user\n"


def test_a_time_before_the_first_tick_says_so(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(store, "--until", "2020-01-01") == Exit.FAILED
    assert "nothing is stored before 2020-01-01T00:00:00Z" in capsys.readouterr().err
