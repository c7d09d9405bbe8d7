"""Whatever runs where: deployments, what is shared and idle, and (unassigned) add up to the GPUs, live and in hours.

Readings of random fleets go through the real bookkeeper, roll-up and tables; nothing is made up in between.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readings import FlowReading, GpuReading, Layer, Moves, Reason, ServerFacts, ServerReading
from tests.exports.strategies import price_versions
from tests.ledger.box import Box, in_force, priced, restored
from tests.ledger.readings import NOON_MS, boot_ns, gpu, gpu_facts, page, server_facts
from tokwatch.exports.background import Background
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.exports.model_hours import model_hours
from tokwatch.exports.names import Names
from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import Flag
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.snapshot import canonical_json
from tokwatch.ledger.sums import counted
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS, elsewhere_quarters, flow_quarters, gpu_quarters, host_quarters

TICK_S, TICKS = 60, 34  # over two edges of quarters
PRICES = PriceBook((priced(2.35),))


@dataclass(frozen=True)
class Server:
    """One server of a random fleet."""

    facts: ServerFacts
    layer: Layer
    moves: Moves
    output: int  # tokens a tick; 0: idle
    prompt: int
    down_from: int  # tick

    def page(self, tick: int) -> ServerReading:
        second = tick * TICK_S
        if tick >= self.down_from:
            return ServerReading(self.facts, boot_ns(second), ok=False, problem="refused")
        tenants = ("acme", "beta", "(untagged)") if self.layer is Layer.GATEWAY else ("(untagged)",)
        flows = [
            FlowReading(
                self.facts.model or "",
                role=self.facts.role,
                tenant=tenant,
                output_tokens=None if self.moves is Moves.NONE else tick * self.output * number,
                prompt_tokens=tick * self.prompt * number,
            )
            for number, tenant in enumerate(tenants, start=1)
        ]
        return page(second, *flows, facts=self.facts, layer=self.layer, moves=self.moves, idle=not self.output)


@dataclass(frozen=True)
class Gpu:
    """One GPU of a random fleet."""

    index: int
    watts: int
    lost_from: int  # tick
    pids: tuple[int, ...]

    def reading(self, tick: int) -> GpuReading:
        second = tick * TICK_S
        if tick >= self.lost_from:
            return GpuReading(gpu_facts(self.index), boot_ns(second), problem=Reason.LOST)
        energy_mj = 1_000_000 + self.watts * 1000 * second
        listed = replace(gpu(second, self.index), processes=())
        return replace(listed, power_w=float(self.watts), energy_mj=energy_mj, utilization=0.0, memory_used_bytes=0)


@st.composite
def servers(draw: st.DrawFn, number: int) -> Server:
    facts = server_facts(
        f"s:{number}",
        engine=draw(st.sampled_from(["vllm", "sglang"])),
        model=draw(st.sampled_from(["qwen", "llama"])),
        pids=(),
        role=draw(st.sampled_from(["", "", "prefill", "decode"])),
        deployment=draw(st.sampled_from(["", "", "prod"])),
        counts=draw(st.sampled_from([None, None, None, True, False])),
        verified=draw(st.sampled_from([True, True, True, False])),
        gpus=tuple(map(str, sorted(draw(st.sets(st.integers(0, 3), max_size=3))))),
    )
    return Server(
        facts,
        layer=draw(st.sampled_from([Layer.ENGINE, Layer.ENGINE, Layer.ROUTER, Layer.GATEWAY])),
        moves=draw(st.sampled_from([Moves.LIVE, Moves.LIVE, Moves.AT_END, Moves.NONE])),
        output=draw(st.sampled_from([0, 7, 6000])),
        prompt=draw(st.sampled_from([0, 100, 50_000])),
        down_from=draw(st.sampled_from([TICKS, TICKS, 1, 20])),
    )


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Half an hour of up to five servers on up to four GPUs."""
    fleet = [draw(servers(number)) for number in range(draw(st.integers(0, 5)))]
    watts, lost = st.sampled_from([60, 300, 701]), st.sampled_from([TICKS, TICKS, 12])
    gpus = [Gpu(index, draw(watts), draw(lost), ()) for index in range(draw(st.integers(1, 4)))]
    box = Box(settings=SettingsBody(interval_s=TICK_S))
    for tick in range(TICKS):
        readings = [each.reading(tick) for each in gpus]
        box.turn(tick * TICK_S, readings, [server.page(tick) for server in fleet])
    return box


def hours_of(box: Box, *versions: PriceVersion) -> tuple[Quarters, Background]:
    """The box as the store would roll it up, and what an export reads it against."""
    span = (NOON_MS - QUARTER_MS, NOON_MS + TICKS * TICK_S * 1000 + QUARTER_MS)
    quarters = Quarters(
        gpu_quarters([entry for record in box.records for entry in record.gpus], 1, *span),
        flow_quarters([entry for record in box.records for entry in record.flows], 1, *span),
        host_quarters([entry for record in box.records for entry in record.hosts], 1, *span),
        elsewhere_quarters([entry for record in box.records for entry in record.flows], 1, *span),
    )

    def state_ms(entity: int, from_ms: int, to_ms: int, runs: Collection[int] | None = None) -> dict[int, int]:
        found: dict[int, int] = {}
        for entry in (entry for record in box.records for entry in record.gpus if entry.entity == entity):
            if not entry.flags & Flag.GAP:
                ms = clip_ms(entry.t0_ms, entry.t1_ms, from_ms, to_ms)
                found[entry.state] = found.get(entry.state, 0) + ms
        return found

    entities = [entity for record in box.records for entity in record.entities]
    names = Names(entities, [event for event in in_force(box.records) if event.kind == "facts"])
    return quarters, Background(names, PriceBook(versions), state_ms)


@given(boxes(), price_versions())
@settings(max_examples=60, deadline=None)
def test_deployments_and_what_is_left_over_add_up_to_the_gpus(box: Box, versions: tuple[PriceVersion, ...]) -> None:
    # Hours: joules to the millijoule, dollars, GPU-hours; and tokens, each once.
    quarters, background = hours_of(box, *versions)
    of_gpus, of_models = gpu_hours(quarters, background), model_hours(quarters, background)
    joules = [sum(round((row.energy_board_j or 0) * 1000) for row in rows) for rows in (of_gpus, of_models)]
    assert joules[0] == joules[1] == sum(e.energy_mj or 0 for record in box.records for e in record.gpus)
    dollars = [sum(row.cost_total_usd or 0 for row in rows) for rows in (of_gpus, of_models)]
    assert dollars[0] == pytest.approx(dollars[1], rel=1e-9)
    metered = [sum(row.energy_facility_kwh or 0 for row in rows) for rows in (of_gpus, of_models)]
    assert metered[0] == pytest.approx(metered[1], rel=1e-9)
    assert sum(row.gpu_hours or 0 for row in of_models) == pytest.approx(sum(row.observed_s for row in of_gpus) / 3600)
    entries = [counted(entry) for record in box.records for entry in record.flows]
    assert sum(row.tokens_out or 0 for row in of_models) == sum(entry.output_tokens or 0 for entry in entries)
    assert sum(row.tokens_in_uncached or 0 for row in of_models) == sum(entry.prompt_tokens or 0 for entry in entries)

    # Live: the parts of each GPU, and watts and dollars an hour wherever they are known.
    shown = box.snapshot(2.35)
    moment = Moment(box.view(PRICES))
    accounts = Accounts(moment)
    for row in shown.gpus:
        assert sum(accounts.part(row.entity, account) for account in accounts.all) == pytest.approx(1)
    rents = [accounts.usd_per_hour(account).value or 0.0 for account in accounts.all]
    assert sum(rents) == pytest.approx(shown.totals.usd_per_hour.value)
    drawn = [moment.watts(row.entity, accounts.servers_on(row.entity)).value for row in shown.gpus]
    if None not in drawn:
        parts = [accounts.watts(account).value or 0.0 for account in accounts.all]
        assert sum(parts) == pytest.approx(sum(watts for watts in drawn if watts is not None))


@given(boxes())
@settings(max_examples=15, deadline=None)
def test_a_seek_shows_the_same_parts_as_the_live_screen(box: Box) -> None:
    live = snapshot(box.view(PRICES), mode="live")
    sought = snapshot(restored(box.records, box.run, PRICES), mode="live")
    assert canonical_json(sought) == canonical_json(live)
