"""What was found as a store reads it back: servers, their rows, and what several servers count."""

from __future__ import annotations

from pathlib import Path

from tests.feeds.prometheus_quarters.test_counted_once import DECODE, GATEWAY, PAIR, PREFILL, flow, found
from tokwatch.feeds.prometheus_quarters.counted_once import count_once
from tokwatch.feeds.prometheus_quarters.servers import FlowCounts, ServersFound
from tokwatch.feeds.prometheus_quarters.written import Written
from tokwatch.ledger.bodies import ServerBody, body
from tokwatch.ledger.entries import Flag, Run
from tokwatch.store.quarter_import import QuarterImport
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS


def written(told: ServersFound, path: Path) -> Reader:
    run = Run(1, "imported", "prometheus", "", "1.0", "UTC", QUARTER_MS)
    with QuarterImport(path, run, 4 * QUARTER_MS) as store:
        Written(store).add_servers(told)
    return Reader(path)


def bodies(reader: Reader) -> list[ServerBody]:
    return [body(event, ServerBody) for event in reader.events(0, 9 * QUARTER_MS, ["facts"])]


def test_a_server_of_several_models_is_described_once_a_quarter_hour_with_the_busiest(tmp_path: Path) -> None:
    told = found(DECODE)
    for model, output in (("Aya", 10), ("Zephyr", 900)):
        told.flows[flow(DECODE)._replace(model=model), 0] = FlowCounts({"output_tokens": output})
    with written(told, tmp_path / "store.db") as reader:
        assert [each.model for each in bodies(reader)] == ["Zephyr"]
        assert len(reader.quarters(0, QUARTER_MS).flows) == 3


def test_what_is_counted_elsewhere_is_kept_apart(tmp_path: Path) -> None:
    told = found(PREFILL, DECODE, GATEWAY, halves=PAIR)
    count_once(told, {})
    with written(told, tmp_path / "store.db") as reader:
        quarters = reader.quarters(0, QUARTER_MS)
        kinds = {(each.engine, each.role, each.layer, each.counts) for each in bodies(reader)}
    for name in ("prompt_tokens", "output_tokens", "finished"):
        counted = [getattr(row, name) for row in quarters.flows if getattr(row, name) is not None]
        seen = [getattr(row, name) for row in quarters.elsewhere if getattr(row, name) is not None]
        assert (len(counted), len(seen)) == (1, 2)
    assert {row.flags for row in quarters.elsewhere} == {
        Flag.OUTPUT_ELSEWHERE,
        Flag.PROMPT_ELSEWHERE,
        Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE,
    }
    assert kinds == {
        ("sglang", "prefill", "engine", "prompt here, output at the decode servers"),
        ("sglang", "decode", "engine", "output here, prompt at the prefill servers"),
        ("litellm", "", "gateway", "shown, counted at its engines"),
    }
