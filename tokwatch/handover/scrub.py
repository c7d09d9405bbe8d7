"""How a store is told to others: runs, things, events, prices and mutes with their names replaced, or as they are."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from msgspec.structs import replace

from tokwatch.handover.names import REMOVED, Category, Names
from tokwatch.handover.scrub_events import decoded, names_in, scrubbed
from tokwatch.handover.scrub_prices import names_in_prices, public_version
from tokwatch.handover.words import public_text
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.entries import Entity, Event, Run
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.registry import flow_key, flow_labels, group_key, group_units

_ROLES = frozenset({"", "prefill", "decode"})


class Told(Protocol):
    """How what a store tells is told to others."""

    def run(self, run: Run) -> Run: ...

    def entity(self, entity: Entity) -> Entity: ...

    def event(self, event: Event) -> Event | None:
        """None for one that is left out."""
        ...

    def price(self, version: PriceVersion) -> PriceVersion: ...

    def mute(self, mute: Mute) -> Mute: ...


class AsItIs:
    """With all its names."""

    def run(self, run: Run) -> Run:
        return run

    def entity(self, entity: Entity) -> Entity:
        return entity

    def event(self, event: Event) -> Event | None:
        return event

    def price(self, version: PriceVersion) -> PriceVersion:
        return version

    def mute(self, mute: Mute) -> Mute:
        return mute


class Scrubbed:
    """Without names; what stands for each is the same wherever it occurs."""

    def __init__(self, names: Names, kinds: Mapping[int, str], products: frozenset[str], *, prices: bool) -> None:
        """kinds: of entities by id. products: names of GPU models. prices: texts about money stay."""
        self.names = names
        self.left_out: Counter[str] = Counter()  # events of kinds that are not known, by kind
        self._kinds = kinds
        self._products = products
        self._prices = prices

    def run(self, run: Run) -> Run:
        return replace(
            run,
            host=self.names.of("host", run.host),
            boot_id=same_for_same("boot", run.boot_id),
            source=same_for_same("import", run.source),
        )

    def entity(self, entity: Entity) -> Entity:
        return replace(entity, host=self.names.of("host", entity.host), key=self._entity_key(entity))

    def event(self, event: Event) -> Event | None:
        found = scrubbed(event, self._kinds.get(event.entity, ""), self.names, prices=self._prices)
        if found is None:
            self.left_out[event.kind] += 1
        return found

    def price(self, version: PriceVersion) -> PriceVersion:
        return public_version(version, self.names, self._products)

    def mute(self, mute: Mute) -> Mute:
        return replace(
            mute,
            reason=REMOVED,
            by=self.names.of("user", mute.by),
            state=self.names.of("alert", mute.state),
            gpu=mute.gpu if mute.gpu.isdecimal() and len(mute.gpu) < 5 else self.names.of("GPU", mute.gpu),
            host=self.names.of("host", mute.host),
            model=self.names.of("model", mute.model),
        )

    def _entity_key(self, entity: Entity) -> str:
        match entity.kind:
            case "host":
                return self.names.of("host", entity.key)
            case "gpu":
                return self.names.of("GPU", entity.key)
            case "server":
                address, _, engine = entity.key.rpartition("|")
                return f"{self.names.of('server', address)}|{public_text(engine, self.names)}"
            case "flow":
                server, model, role, tenant, tier = flow_labels(entity.key)
                of = self.names.of
                return flow_key(
                    server,
                    of("model", model),
                    role if role in _ROLES else REMOVED,
                    of("tenant", tenant),
                    of("tier", tier),
                )
            case "group":
                return group_key(group_units(entity.key))
        return f"{REMOVED} {entity.id}"


def scrub(
    runs: Iterable[Run],
    entities: Iterable[Entity],
    events: Iterable[Event],
    versions: Iterable[PriceVersion],
    mutes: Iterable[Mute],
    *,
    prices: bool,
) -> Scrubbed:
    """One mapping for all that will be told. Raises ValueError or msgspec.DecodeError for damaged rows."""
    found: dict[Category, set[str]] = defaultdict(set)
    kinds: dict[int, str] = {}
    products: set[str] = set()
    for run in runs:
        found["host"].add(run.host)
    for entity in entities:
        kinds[entity.id] = entity.kind
        for category, name in _names_in_entity(entity):
            found[category].add(name)
    for event in events:
        of = kinds.get(event.entity, "")
        for category, name in names_in(event, of):
            found[category].add(name)
        if event.kind == "facts" and isinstance(body := decoded(event, of), GpuBody):
            products.add(body.name or "")
    for version in versions:
        for category, name in names_in_prices(version.prices):
            found[category].add(name)
    for mute in mutes:
        found["host"].add(mute.host)
        found["model"].add(mute.model)
        found["alert"].add(mute.state)
        found["user"].add(mute.by)
        found["GPU"].add("" if mute.gpu.isdecimal() and len(mute.gpu) < 5 else mute.gpu)
    found["deployment"] -= found["server"]  # an address is one wherever it stands
    return Scrubbed(Names(found), kinds, frozenset(products - {""}), prices=prices)


def _names_in_entity(entity: Entity) -> Iterator[tuple[Category, str]]:
    yield "host", entity.host
    match entity.kind:
        case "host":
            yield "host", entity.key
        case "gpu":
            yield "GPU", entity.key
        case "server":
            yield "server", entity.key.rpartition("|")[0]
        case "flow":
            _, model, _, tenant, tier = flow_labels(entity.key)
            yield "model", model
            yield "tenant", tenant
            yield "tier", tier


def same_for_same(what: str, secret: str) -> str:
    """A word that is the same for the same secret, so that a file that comes twice is known; "" for ""."""
    return f"{what}-{hashlib.sha256(json.dumps([what, secret]).encode()).hexdigest()[:16]}" if secret else ""
