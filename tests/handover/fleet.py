"""A small fleet whose every name is chosen by the test: what is stored of it tells each of them somewhere."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.store.records import NOON_MS, flow, gpu, host, server, tick
from tokwatch.feeds.history import stored_price
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.bodies import (
    GpuBody,
    HostBody,
    PlacementBody,
    ProbeBody,
    ProblemBody,
    ReasonsBody,
    ServerBody,
    SettingsBody,
    XidBody,
    event,
)
from tokwatch.ledger.capacity.capacity import DeclaredCapacity
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.entries import Entity, Event, Run, State, TickRecord
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.token_prices import TaskValue, TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.registry import flow_key
from tokwatch.ledger.slo import Slo
from tokwatch.ledger.states import StateBody
from tokwatch.store.mutes import add_mute
from tokwatch.store.telling import telling
from tokwatch.store.writer import Writer

GPU, SERVER, FLOW, HOST = 1, 9, 11, 20
TICKS = 30
BEGINS_MS = NOON_MS + 60_000


@dataclass(frozen=True)
class Names:
    """Everything that may tell whose fleet it is."""

    host: str = "dgx-03"
    boot: str = "9f1c2b7e-boot"
    uuid: str = "GPU-6b1f0c52"
    address: str = "10.2.3.4:8000"
    model: str = "org/Big-Model"
    tenant: str = "acme"
    tier: str = "gold"
    user: str = "alice"
    deployment: str = "chat-eu"
    rule: str = "too dear"
    probe: str = "probe of rack 7"
    words: str = "the tape robot of site Zurich"

    def all(self) -> tuple[str, ...]:
        return dataclasses.astuple(self)


def make_store(path: Path, names: Names, *, kind: str = "recorded", started_ms: int = BEGINS_MS) -> int:
    """A store with one run of half a minute; its id."""
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(Run(0, kind, names.host, names.boot, "0.1.0", "UTC", started_ms))
    writer.add_price(stored_price(PriceVersion(0, started_ms - 1, started_ms, names.words, _prices(names))))
    for second in range(1, TICKS + 1):
        writer.submit(_record(names, run.id, started_ms + second * 1000, first=second == 1))
    assert writer.close(10)
    with telling(path) as connection:
        add_mute(
            connection,
            Mute(
                made_ms=started_ms,
                until_ms=started_ms + 3_600_000,
                reason=names.words,
                by=names.user,
                state=names.rule,
                gpu=names.uuid,
                host=names.host,
                model=names.model,
            ),
        )
    return run.id


def _record(names: Names, run: int, tick_ms: int, *, first: bool) -> TickRecord:
    return TickRecord(
        tick(tick_ms, run),
        gpus=(gpu(tick_ms, entity=GPU),),
        servers=(server(tick_ms, entity=SERVER),),
        flows=(flow(tick_ms, entity=FLOW),),
        hosts=(replace(host(tick_ms), entity=HOST),),
        entities=_entities(names, tick_ms) if first else (),
        events=tuple(_events(names, tick_ms)) if first else (),
    )


def _entities(names: Names, at_ms: int) -> tuple[Entity, ...]:
    key = flow_key(SERVER, names.model, "", names.tenant, names.tier)
    return (
        Entity(HOST, "host", names.host, names.host, 0, at_ms),
        Entity(GPU, "gpu", names.host, names.uuid, HOST, at_ms),
        Entity(SERVER, "server", names.host, f"{names.address}|vllm", HOST, at_ms),
        Entity(FLOW, "flow", names.host, key, SERVER, at_ms),
    )


def _events(names: Names, at_ms: int) -> list[Event]:
    told = f"{names.model} at {names.address} of {names.tenant}: {names.words}"
    server_body = ServerBody(
        names.address,
        "vllm",
        names.model,
        names.user,
        verified=True,
        moves="live",
        facts=(("pid", "4711"), ("precision", "fp8"), ("served as", names.model), (names.words, "1")),
        used=("vllm:generation_tokens_total", f"custom:{names.tenant}"),
        missing=(("ttft", names.words),),
        deployment=names.deployment,
        counts=f"tokens counted at {names.address}",
    )
    alert = AlertBody(
        State.PARKED, "firing", "warning", told, (GPU,), at_ms, at_ms, None, ((GPU, at_ms),), mute_reason=names.words
    )
    settings = SettingsBody(
        slo_models={names.model: Slo(ttft_s=1.0)},
        capacity=(DeclaredCapacity(100.0, names.words, names.deployment, names.model),),
        references=(Reference(names.words, 50.0, 100.0, source=names.words),),
    )
    return [
        event(at_ms, HOST, "facts", HostBody(names.host, 2048)),
        event(at_ms, GPU, "facts", GpuBody(0, names.uuid, "NVIDIA H100 80GB HBM3", 81_559, 700_000, driver="580.82")),
        event(at_ms, SERVER, "facts", server_body),
        event(at_ms, GPU, "placement", PlacementBody((SERVER,), "process", 1)),
        event(at_ms, GPU, "state", StateBody(State.SERVING, at_ms - 1000, True, told)),
        event(at_ms, GPU, "reasons", ReasonsBody({"dram_activity": names.words})),
        event(at_ms, GPU, "xid", XidBody(79, at_ms), "79"),
        event(at_ms, SERVER, "problem", ProblemBody(f"{names.address} closed the connection")),
        event(at_ms, 0, "problem", ProblemBody(told), names.words),
        event(at_ms, 0, "probe", ProbeBody(False, told, names.words), names.probe),
        event(at_ms, 0, "settings", settings),
        event(at_ms, 0, "alert", alert, "parked"),
        event(at_ms, 0, "alert", replace(alert, of="figure", state=0, inhibited_by=names.rule), names.rule),
        Event(at_ms, GPU, "gossip", "", msgspec.json.encode({"heard": names.words})),
    ]


def _prices(names: Names) -> Prices:
    return Prices(
        gpu={names.uuid: 2.5, names.words: 3.0},
        terms=(TermsFor(Rent(2.0), host=names.host), TermsFor(Rent(9.0), gpu=f"{names.uuid}-other")),
        facility=Facility(carbon=Carbon(200.0, names.words, 2026)),
        tokens=Tokens(
            prices=(TokenPrice(2.0, 0.5, names.model, names.tier),),
            tiers={names.tier: 1.5},
            tier_of=(TierOf(names.tier, names.deployment, names.model, names.tenant),),
            tasks=(TaskValue(0.01, names.model),),
        ),
    )
