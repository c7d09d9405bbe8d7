"""The bodies of events for others: each decoded as what its kind holds, so that nothing else gets through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tokwatch.handover.names import REMOVED, Category, Names
from tokwatch.handover.words import public_text
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import (
    FloorBody,
    GpuBody,
    HostBody,
    PlacementBody,
    ProbeBody,
    ProblemBody,
    ReasonsBody,
    ServerBody,
    SettingsBody,
    XidBody,
)
from tokwatch.ledger.capacity.capacity import LearntCapacity, Load
from tokwatch.ledger.capacity.frontier import Frontier
from tokwatch.ledger.capacity.operating_point import MIXES, OperatingPoint
from tokwatch.ledger.entries import Event
from tokwatch.ledger.states import StateBody

_SERIES: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.]*")
_FIELD: Final = re.compile(r"[a-z][a-z_0-9]*")
_NUMBER: Final = re.compile(r"\d{1,9}")
_PROCESS_FACTS: Final = frozenset({"pid"})


def names_in(event: Event, of: str) -> Iterator[tuple[Category, str]]:
    """Every name that an event tells; `of` is its entity's kind. Raises msgspec.DecodeError for a damaged body."""
    body = decoded(event, of)
    match body:
        case GpuBody():
            yield "GPU", body.uuid or ""
        case HostBody():
            yield "host", body.name
        case ServerBody():
            yield "server", body.address
            yield "model", body.model
            yield "user", body.owner
            yield "deployment", body.deployment
        case SettingsBody():
            for model in body.slo_models:
                yield "model", model
            for capacity in body.capacity:
                yield "deployment", capacity.deployment
                yield "model", capacity.model
        case AlertBody():
            yield "alert", event.key
            yield "alert", body.inhibited_by
        case ProbeBody() | ProblemBody():
            yield "probe", event.key


def scrubbed(event: Event, of: str, names: Names, *, prices: bool) -> Event | None:
    """The event without names; None for a kind that nobody here knows. prices: texts about money stay."""
    body = decoded(event, of)
    if body is None:
        return None
    make = _SCRUB.get(type(body))
    plain = body if make is None else make(body, names)
    if not prices and isinstance(plain, AlertBody) and plain.of != "state":
        plain = replace(plain, text=REMOVED)
    if not prices and isinstance(plain, SettingsBody):
        plain = replace(plain, box=replace(plain.box, usd_per_m_output_at_most=None))
    return replace(event, key=_key(event, names), body=msgspec.json.encode(plain))


def decoded(event: Event, of: str) -> msgspec.Struct | None:
    """The body as its kind's own; None for a kind that is not known. Raises msgspec.DecodeError for a damaged one."""
    kind = _KINDS.get((event.kind, of)) or _KINDS.get((event.kind, "*"))
    return None if kind is None else msgspec.json.decode(event.body, type=kind)


_KINDS: Final[dict[tuple[str, str], type[msgspec.Struct]]] = {
    ("facts", "gpu"): GpuBody,
    ("facts", "server"): ServerBody,
    ("facts", "host"): HostBody,
    ("placement", "gpu"): PlacementBody,
    ("floor", "gpu"): FloorBody,
    ("reasons", "gpu"): ReasonsBody,
    ("xid", "gpu"): XidBody,
    ("state", "gpu"): StateBody,
    ("problem", "*"): ProblemBody,
    ("probe", "*"): ProbeBody,
    ("settings", "*"): SettingsBody,
    ("alert", "*"): AlertBody,
    ("operating", "*"): OperatingPoint,
    ("frontier", "*"): Frontier,
    ("capacity", "*"): LearntCapacity,
    ("load", "*"): Load,
}


def _key(event: Event, names: Names) -> str:
    if event.kind == "alert":
        return names.of("alert", event.key)
    if event.kind in ("probe", "problem"):
        public = public_text(event.key, names)
        return names.of("probe", event.key) if REMOVED in public else public
    return event.key if event.key in ("", *MIXES) or _NUMBER.fullmatch(event.key) else REMOVED


def _gpu(body: GpuBody, names: Names) -> GpuBody:
    return replace(
        body,
        uuid=None if body.uuid is None else names.of("GPU", body.uuid),
        name=None if body.name is None else names.within(body.name),
        driver=None if body.driver is None else public_text(body.driver, names),
        meter=public_text(body.meter, names),
        kind=public_text(body.kind, names),
        power_scope=public_text(body.power_scope, names),
        mig_profiles=tuple(public_text(profile, names) for profile in body.mig_profiles),
    )


def _server(body: ServerBody, names: Names) -> ServerBody:
    told = ((public_text(name, names), public_text(value, names)) for name, value in body.facts)
    return replace(
        body,
        address=names.of("server", body.address),
        engine=public_text(body.engine, names),
        model=names.of("model", body.model),
        owner=names.of("user", body.owner),
        moves=public_text(body.moves, names),
        facts=tuple(fact for fact in told if fact[0] != REMOVED and fact[0] not in _PROCESS_FACTS),
        used=tuple(series for series in body.used if _SERIES.fullmatch(series) and names.within(series) == series),
        missing=tuple((public_text(role, names), public_text(loss, names)) for role, loss in body.missing),
        layer=public_text(body.layer, names),
        role=public_text(body.role, names),
        deployment=names.of("deployment", body.deployment),
        counts=public_text(body.counts, names),
    )


def _host(body: HostBody, names: Names) -> HostBody:
    return replace(body, name=names.of("host", body.name))


def _placement(body: PlacementBody, names: Names) -> PlacementBody:
    return replace(body, method=public_text(body.method, names))


def _reasons(body: ReasonsBody, names: Names) -> ReasonsBody:
    return ReasonsBody(
        {field: public_text(why, names) for field, why in body.reasons.items() if _FIELD.fullmatch(field)}
    )


def _state(body: StateBody, names: Names) -> StateBody:
    return replace(body, note=public_text(body.note, names))


def _problem(body: ProblemBody, names: Names) -> ProblemBody:
    return ProblemBody(public_text(body.text, names))


def _probe(body: ProbeBody, names: Names) -> ProbeBody:
    return replace(body, found=public_text(body.found, names), hint=public_text(body.hint, names))


def _settings(body: SettingsBody, names: Names) -> SettingsBody:
    return replace(
        body,
        slo_models={names.of("model", model): slo for model, slo in body.slo_models.items()},
        capacity=tuple(
            replace(
                each,
                source=REMOVED,
                deployment=names.of("deployment", each.deployment),
                model=names.of("model", each.model),
            )
            for each in body.capacity
        ),
        references=tuple(
            replace(each, name=f"reference-{number}", source=REMOVED)
            for number, each in enumerate(body.references, start=1)
        ),
    )


def _alert(body: AlertBody, names: Names) -> AlertBody:
    return replace(
        body,
        text=public_text(body.text, names),
        mute_reason=REMOVED if body.mute_reason else "",  # in a user's own words
        inhibited_by=names.of("alert", body.inhibited_by),
    )


_SCRUB: Final[dict[type[msgspec.Struct], Callable[[Any, Names], msgspec.Struct]]] = {
    GpuBody: _gpu,
    ServerBody: _server,
    HostBody: _host,
    PlacementBody: _placement,
    ReasonsBody: _reasons,
    StateBody: _state,
    ProblemBody: _problem,
    ProbeBody: _probe,
    SettingsBody: _settings,
    AlertBody: _alert,
}
