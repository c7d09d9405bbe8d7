"""What the bodies of events hold, one struct a kind. JSON in the store, so every field is plain."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tokwatch.ledger.capacity.capacity import DeclaredCapacity
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.entries import Event
from tokwatch.ledger.slo import Slo


class GpuBody(msgspec.Struct, frozen=True):
    """`facts` of a GPU."""

    index: int
    uuid: str | None
    name: str | None
    memory_total_mib: int | None
    power_limit_mw: int | None
    power_scope: str = "gpu"
    driver: str | None = None
    mig: bool = False
    meter: str = "NVML"
    kind: str = "gpu"
    mig_profiles: tuple[str, ...] = ()  # of its instances: "1g.10gb"; they have no watts of their own


class ServerBody(msgspec.Struct, frozen=True):
    """`facts` of a server: what does not change from scrape to scrape."""

    address: str
    engine: str
    model: str
    owner: str
    verified: bool
    moves: str
    facts: tuple[tuple[str, str], ...] = ()
    used: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    layer: str = "engine"  # "engine" | "router" | "gateway"
    role: str = ""  # "prefill" | "decode" | ""
    deployment: str = ""  # the name of its deployment, where one was given
    counts: str = "tokens counted here"  # whether its tokens are added up, in words


class HostBody(msgspec.Struct, frozen=True):
    """`facts` of the host."""

    name: str
    memory_total_mib: int | None


class PlacementBody(msgspec.Struct, frozen=True):
    """`placement` of a GPU: the servers on it and how that is known."""

    servers: tuple[int, ...]  # entities
    method: str  # a placement.Method, or several; "" without servers
    processes: int | None  # compute processes the driver lists; None: not visible


class FloorBody(msgspec.Struct, frozen=True):
    """`floor` of a GPU: what it draws with nothing on it."""

    floor_w: int
    drawn_ms: dict[int, int]  # whole watts → how long it drew them while it was free


class ReasonsBody(msgspec.Struct, frozen=True):
    """`reasons` of a GPU: why its fields are unknown, by field name."""

    reasons: dict[str, str]


class XidBody(msgspec.Struct, frozen=True):
    """`xid` of a GPU, key = the code: the last time that the driver reported it."""

    code: int
    at_ms: int  # the tick that it was read in


class ProblemBody(msgspec.Struct, frozen=True):
    """`problem` of a server (its page) or of the recorder (entity 0): words, empty when over."""

    text: str


class ProbeBody(msgspec.Struct, frozen=True):
    """`probe`, entity 0, key = what was looked for."""

    ok: bool
    found: str
    hint: str
    gone: bool = False  # no longer looked for


class SettingsBody(msgspec.Struct, frozen=True):
    """`settings`, entity 0: what a Snapshot depends on besides entries."""

    interval_s: float = 1.0
    slo_ttft_s: float | None = None
    slo_tpot_s: float | None = None
    slo_e2e_s: float | None = None
    slo_target: float = 0.99
    slo_models: dict[str, Slo] = {}  # by model, instead of the above
    capacity: tuple[DeclaredCapacity, ...] = ()
    box: Box = Box()  # what is fast and cheap enough
    references: tuple[Reference, ...] = ()  # operating points of the user's own file

    def slo(self, model: str = "") -> Slo:
        """What the requests of a model are under."""
        own = self.slo_models.get(model)
        return own or Slo(self.slo_ttft_s, self.slo_tpot_s, self.slo_e2e_s, self.slo_target)


_Body = TypeVar("_Body", bound=msgspec.Struct)


def event(tick_ms: int, entity: int, kind: str, body: msgspec.Struct, key: str = "") -> Event:
    """An event with its body encoded."""
    return Event(tick_ms, entity, kind, key, msgspec.json.encode(body))


def body(event: Event, kind: type[_Body]) -> _Body:
    """The event's body; raises msgspec.ValidationError when it is not of that kind."""
    return msgspec.json.decode(event.body, type=kind)
