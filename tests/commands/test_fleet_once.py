"""`once` of a fleet: one answer on stdout, and an exit code that says whether it is whole."""

from __future__ import annotations

import argparse

import msgspec
import pytest

from tokwatch.commands import fleet_once
from tokwatch.commands.fleet_once import fleet_table, run
from tokwatch.config import Config
from tokwatch.errors import UsageError
from tokwatch.exits import Exit
from tokwatch.feeds.fleet import HostDoor
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.tally import FleetTally, FlowTally, HostKey, HostTally, SourceNote
from tokwatch.ledger.prices.book import PriceBook

AT_MS = 1_790_000_000_000
SERVING = HostTally(
    host="h1",
    t1_ms=AT_MS,
    length_ms=60_000,
    gpus=8,
    gpu_model="NVIDIA H100",
    states=((State.SERVING.value, 8),),
    energy_mj=8 * 500 * 60_000,
    measured_ms=8 * 60_000,
    power_w=4000.0,
    power_gpus=8,
    flows=(FlowTally(model="Qwen/Qwen3-32B", engine="vllm", output_tokens=120_000, running=3, waiting=0),),
)
SILENT = HostTally(host="h2", t1_ms=AT_MS - 90_000, length_ms=0, up=False, problem="h2:9400: not scraped")


class Told:
    """A FleetSource of these tallies, one after another."""

    interval_s = 15.0

    def __init__(self, *tallies: FleetTally) -> None:
        self._tallies = list(tallies)
        self.closed = False

    async def now(self) -> FleetTally:
        return self._tallies.pop(0)

    async def at(self, at_ms: int) -> FleetTally:
        raise NotImplementedError

    async def span_ms(self) -> tuple[int, int] | None:
        return None

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        return None

    async def close(self) -> None:
        self.closed = True


def tally(*hosts: HostTally, warnings: tuple[str, ...] = (), notes: tuple[SourceNote, ...] = ()) -> FleetTally:
    return FleetTally(AT_MS, 60_000, 15.0, "Prometheus http://prom:9090", hosts, warnings=warnings, notes=notes)


def options(*, json: bool = False, fail_if: list[object] | None = None) -> argparse.Namespace:
    return argparse.Namespace(json=json, for_s=0.0, fail_if=fail_if or [], price=None)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(fleet_once, "config_of", lambda options: Config())
    return monkeypatch


def asked(once: pytest.MonkeyPatch, source: Told, *, json: bool = False) -> int:
    once.setattr(fleet_once, "source_of", lambda options, config: source)
    return run(options(json=json))


def test_a_whole_answer_is_done(once: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = Told(tally(SERVING))
    assert asked(once, source) == Exit.DONE
    assert source.closed
    assert "Qwen3-32B" in capsys.readouterr().out


def test_the_snapshot_comes_as_json(once: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(once, Told(tally(SERVING)), json=True) == Exit.DONE
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [host["host"] for host in told["hosts"]] == ["h1"]


@pytest.mark.parametrize("partial", [tally(SERVING, SILENT), tally(SERVING, warnings=("a store did not answer",))])
def test_a_silent_host_or_a_warning_makes_it_a_part(once: pytest.MonkeyPatch, partial: FleetTally) -> None:
    assert asked(once, Told(partial)) == Exit.PARTIAL


def test_how_the_source_is_asked_is_told_and_takes_nothing_from_the_answer(
    once: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unsafe = msgspec.structs.replace(tally(SERVING), notices=("prom: certificates are not checked",))
    assert asked(once, Told(unsafe)) == Exit.DONE
    assert "prom: certificates are not checked" in capsys.readouterr().out


def test_no_host_is_nothing_found(once: pytest.MonkeyPatch) -> None:
    assert asked(once, Told(tally(), tally())) == Exit.NOTHING_FOUND


def test_counters_that_were_seen_once_are_looked_at_again(once: pytest.MonkeyPatch) -> None:
    first = msgspec.structs.replace(SERVING, length_ms=0)
    assert asked(once, Told(tally(first), tally(SERVING))) == Exit.DONE


def test_conditions_are_for_one_host() -> None:
    with pytest.raises(UsageError, match="--host"):
        run(options(fail_if=["tok_s < 1"]))


def test_the_table_tells_hosts_models_and_what_is_wrong() -> None:
    note = SourceNote("memory", False, "HTTP 503", "not shown")
    text = fleet_table(fleet_snapshot(tally(SERVING, SILENT, notes=(note,)), PriceBook()))
    lines = text.splitlines()
    assert next(line for line in lines if line.startswith("h1")).split()[:3] == ["h1", "serving", "8×"]
    assert next(line for line in lines if line.startswith("h2 ")).split()[:2] == ["h2", "silent"]
    assert "h2: h2:9400: not scraped" in lines
    assert "memory: HTTP 503; not shown" in lines
    assert any(line.startswith("silent") and "1 of 2 hosts" in line for line in lines)


def test_hostile_names_reach_no_terminal() -> None:
    hostile = msgspec.structs.replace(SILENT, problem="\x1b]0;x\x07")
    assert "\x1b" not in fleet_table(fleet_snapshot(tally(hostile), PriceBook()))
