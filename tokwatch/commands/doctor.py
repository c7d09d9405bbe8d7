"""`tokwatch doctor`: looks at everything tokwatch depends on and says what to do. Changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import locale
import os
import platform
from collections.abc import Container, Iterator
from importlib.metadata import version
from pathlib import Path

from collectors.nvml.throttle import throttle_alerts
from collectors.nvml.xids import xid_words
from collectors.readings import GpuReading, Reason, ServerFacts, ServerReading
from tokwatch import __version__
from tokwatch.commands.checks import Check, Verdict, exit_code, print_checks
from tokwatch.commands.doctor_store import run_audit
from tokwatch.commands.settings import can_draw, config_of, configured_servers, store_of, this_box
from tokwatch.config import Config
from tokwatch.exits import Exit
from tokwatch.feeds.box import open_sources
from tokwatch.ledger.bookkeeper import Sightings
from tokwatch.store.errors import StoreError
from tokwatch.store.location import network_file_system
from tokwatch.store.lock import Recorder, recorder_for, user_of
from tokwatch.store.reader import Reader

_WHOSE = {"module": "module, its processor included", "package": "processor packages"}
_NEEDED = ("power_w", "energy_mj")
_LOOKS = 3  # rounds of readings: a rate and an energy counter show only over several


def run(options: argparse.Namespace) -> int:
    """Print every check; 0 when none failed, 3 when no GPU and no server was found, else 1.

    `doctor --store` is another matter: doctor_store.py.
    """
    if options.audit:
        return run_audit(options, store_of(options))
    config, store = config_of(options), store_of(options)
    servers = configured_servers(config.servers)
    named = {f"server {server.address}" for server in servers}
    seen, durations = asyncio.run(_look(config, servers))
    checks = [*_program(), *_terminal(), *_store(store), *_sources(seen, named), *_driver_calls(durations)]
    print_checks(checks, as_json=options.json)
    return Exit.NOTHING_FOUND if seen.nothing_found else exit_code(checks)


async def _look(
    config: Config, servers: tuple[ServerFacts, ...]
) -> tuple[Sightings, dict[str, tuple[int, float, float]]]:
    sources = open_sources(config, servers)
    try:
        for _ in range(_LOOKS):
            await sources.see()
            await asyncio.sleep(config.interval_s)
        return await sources.see(), sources.driver_calls()
    finally:
        await sources.close()


def _program() -> Iterator[Check]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("textual", "nvidia-ml-py", "aiohttp", "psutil"))
    yield Check("program", "pass", f"tokwatch {__version__}, Python {platform.python_version()}, {packages}")
    yield Check("host", "pass", f"{this_box(Config()).host}, {platform.system()} {platform.release()}")


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    colours = os.environ.get("COLORTERM") or ("256 colours" if "256" in term else "16 colours")
    if can_draw():
        yield Check("terminal", "pass", f"TERM={term}, {colours}")
    else:
        yield Check("terminal", "warn", f"TERM={term or 'not set'}, no screen here", "tokwatch prints a plain table")
    encoding = locale.getpreferredencoding()
    if "utf" in encoding.lower():
        yield Check("terminal.encoding", "pass", encoding)
    else:
        yield Check("terminal.encoding", "warn", f"{encoding} has no glyphs", "set LANG=C.UTF-8, or use --ascii")


def _store(store: Path) -> Iterator[Check]:
    network = network_file_system(store)
    if network:
        yield Check("store.file-system", "fail", f"{store} is on {network}", "name a local file with --store")
    recorder = recorder_for(store)
    if not store.exists():
        yield Check("store", "warn", f"{store}: nothing recorded yet", "`tokwatch` and `tokwatch record` make it")
    else:
        yield _stored(store)
    if recorder is not None:
        yield _recorder(recorder)


def _recorder(recorder: Recorder) -> Check:
    who = f"process {recorder.pid} of user {user_of(recorder)} records"
    if recorder.store is not None and os.access(recorder.store, os.R_OK):
        return Check("store.recorder", "pass", f"{who} into {recorder.store}")
    hint = "a screen of yours records on its own beside it; to see that one, ask its user, or join group tokwatch"
    return Check("store.recorder", "warn", f"{who}, into a store that you may not read", hint)


def _stored(store: Path) -> Check:
    try:
        with Reader(store) as reader:
            last_ms = reader.last_tick()
            runs = len(reader.runs())
            faults = reader.faults()
    except StoreError as error:
        return Check("store", "fail", str(error))
    if faults:
        hint = "see what is lost with `tokwatch doctor --store`, and record into another one"
        return Check("store", "fail", f"{store} is damaged: {'; '.join(faults)}", hint)
    size_mb = store.stat().st_size / 1e6
    return Check(
        "store",
        "pass",
        f"{store}: {runs} {'run' if runs == 1 else 'runs'}, {size_mb:.1f} MB" + ("" if last_ms else ", no tick"),
    )


def _sources(seen: Sightings, named: Container[str]) -> Iterator[Check]:
    """`named`: the probes of servers that the config names. Any other may be none of ours."""
    read = {f"server {reading.server.address}" for reading in seen.servers}
    for probe in seen.probes:
        if probe.name in read:
            continue  # the server's own check says more
        words = probe.name.lower().replace(" ", "-")
        verdict: Verdict = "pass" if probe.ok else "fail" if probe.name in named else "warn"
        yield Check(f"source.{words}", verdict, probe.found, probe.hint)
    yield from map(_gpu, seen.gpus)
    for server in seen.servers:
        yield _server(server)


def _server(server: ServerReading) -> Check:
    check_id = f"server.{server.server.address}"
    if not server.ok:
        return Check(check_id, "fail", server.problem, server.server.hint)
    found = f"{server.server.engine}, {len(server.used)} series read in {server.took_ms} ms"
    if server.missing:
        found += f"; missing: {'; '.join(lost for _, lost in server.missing)}"
    return Check(check_id, "pass", found, server.server.hint)


def _gpu(gpu: GpuReading) -> Check:
    facts = gpu.facts
    check_id = "cpu" if facts.kind == "package" else f"gpu.{facts.index}"
    if gpu.problem:
        return Check(check_id, "fail", gpu.problem_text or gpu.problem.value)
    power = (
        "no power" if gpu.power_w is None else f"{gpu.power_w:.0f} W of the {_WHOSE.get(facts.power_scope, 'board')}"
    )
    counter = "no energy" if gpu.energy_mj is None else "energy estimated" if gpu.energy_estimated else "energy counted"
    parts = [facts.name or "no name", f"read by {facts.meter}", power, counter]
    if gpu.mig_instances:
        parts.append(f"{len(gpu.mig_instances)} MIG instances, which have no watts of their own")
    slowed = throttle_alerts(gpu.throttle or 0)
    ails = [*(f"slowed: {reason}" for reason in slowed), *map(xid_words, gpu.xids)]
    unknown: dict[str, list[str]] = {}
    for field, reason in gpu.reasons:
        unknown.setdefault(reason.value, []).append(field)
    # What a device never has is no fault of anybody's; without watts half of tokwatch is missing.
    lacks = any(reason is not Reason.UNSUPPORTED or field in _NEEDED for field, reason in gpu.reasons)
    lost = (f"{', '.join(fields)}: {reason}" for reason, fields in unknown.items())
    found = "; ".join((", ".join(parts), *ails, *lost))
    return Check(check_id, "warn" if ails or lacks else "pass", found)


def _driver_calls(durations: dict[str, tuple[int, float, float]]) -> Iterator[Check]:
    for name, (count, mean_us, longest_us) in sorted(durations.items(), key=lambda item: -item[1][2]):
        slow = longest_us > 100_000
        yield Check(
            f"driver.{name}",
            "warn" if slow else "pass",
            f"{count} {'call' if count == 1 else 'calls'}, mean {mean_us:.0f} µs, longest {longest_us:.0f} µs",
            "the driver was slow to answer: look for Xid lines in dmesg" if slow else "",
        )
