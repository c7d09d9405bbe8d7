"""One moment of a View, looked at: typed access to what is in force, and the rates every row is built from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tokwatch.ledger.bodies import GpuBody, PlacementBody, ProblemBody, ReasonsBody, ServerBody
from tokwatch.ledger.entries import Flag, GpuEntry, State
from tokwatch.ledger.figures import (
    FEW_TOKENS,
    NO_PRICE,
    RATIO_FROM_MS,
    SCOPES,
    WARMING_UP,
    per_second,
    unknown,
)
from tokwatch.ledger.money.rates import Rates
from tokwatch.ledger.money.spent import spent_usd
from tokwatch.ledger.money.tenants import Tenants
from tokwatch.ledger.snapshot import Figure
from tokwatch.ledger.states import StateBody
from tokwatch.ledger.sums import AT_END_WINDOW_MS, WINDOW_MS, FlowSums, FlowTotals, GpuSums
from tokwatch.ledger.view import Spent, View

if TYPE_CHECKING:
    from tokwatch.ledger.goodput import Population

_Body = TypeVar("_Body", bound=msgspec.Struct)
_NO_STATE = StateBody(State.UNKNOWN, 0, True, WARMING_UP)
_NOT_PLACED = PlacementBody((), "", None)
_OF_PROMPTS = ("prompt_tokens", "cached_tokens")


class Moment:
    """Reads one View; made anew for every Snapshot."""

    def __init__(self, view: View) -> None:
        assert view.tick is not None, "a View has no moment before its first tick"
        self.view = view
        self.now_ms = view.tick.tick_ms
        self.version = view.book.at(self.now_ms)
        # Every GPU of a server asks for the same rates: remembered, a Snapshot of 8 GPUs takes a quarter less time.
        self._rates: dict[tuple[int, str, bool], Figure] = {}
        self._windows: dict[tuple[int, bool], list[FlowTotals]] = {}
        self._watts: dict[tuple[int, tuple[int, ...]], Figure] = {}
        self.populations: dict[tuple[int, ...], Population] = {}  # by the flows they are of; see goodput

    def in_force(self, kind: str, entity: int, body: type[_Body], key: str = "") -> _Body | None:
        found = self.view.in_force.get((kind, entity, key))
        return found if isinstance(found, body) else None

    # --- GPUs -----------------------------------------------------------------------------------------------------

    @cached_property
    def gpus(self) -> list[tuple[GpuBody, GpuEntry]]:
        """The GPUs of the moment by index."""
        known_gpus = ((self.in_force("facts", entity, GpuBody), entry) for entity, entry in self.view.gpus.items())
        return sorted(((body, entry) for body, entry in known_gpus if body), key=lambda pair: pair[0].index)

    def state(self, gpu: int) -> StateBody:
        return self.in_force("state", gpu, StateBody) or _NO_STATE

    def placement(self, gpu: int) -> PlacementBody:
        return self.in_force("placement", gpu, PlacementBody) or _NOT_PLACED

    def why(self, gpu: int, field: str) -> str:
        """Why a GPU's field is unknown."""
        reasons = self.in_force("reasons", gpu, ReasonsBody)
        return reasons.reasons.get(field, "") if reasons else ""

    @cached_property
    def rates(self) -> Rates:
        """What its GPUs cost an hour."""
        return Rates(self)

    def rate_usd_per_hour(self, gpu: int, servers: Sequence[int] = ()) -> Figure:
        """What a GPU costs an hour at the prices in force and at its present draw."""
        return self.rates.usd_per_hour(gpu, servers)

    def spent_usd(self, body: GpuBody, spent: Spent) -> Figure:
        """Dollars of booked milliseconds, each under its own price version; marked as `money.spent` does."""
        if not spent:
            return Figure(0.0) if self.version else unknown(NO_PRICE)
        return spent_usd(self.view.book, self.rates.priced(body), spent)

    def scope(self, gpu: int) -> tuple[str, ...]:
        """The mark of watts that are not the GPU's own; () where they are."""
        body = self.in_force("facts", gpu, GpuBody)
        return tuple(SCOPES.intersection({body.power_scope})) if body else ()

    def watts(self, gpu: int, servers: Sequence[int] = ()) -> Figure:
        """Mean board power from the energy counter over exactly the stretch that the tokens of `servers` came in, so
        that the two may be divided; over the usual window without any. Unknown below 10 s of coverage."""
        key = gpu, tuple(servers)
        if key not in self._watts:
            self._watts[key] = self._mean_watts(gpu, servers)
        return self._watts[key]

    def drawn(self, gpu: int, servers: Sequence[int] = ()) -> tuple[int, int]:
        """(mJ, the milliseconds they were measured in) behind `watts`."""
        sums = self.view.gpu_sums.get(gpu) or GpuSums()
        return sums.drawn.between(*self.stretch_ms(servers))

    def _mean_watts(self, gpu: int, servers: Sequence[int]) -> Figure:
        energy_mj, measured_ms = self.drawn(gpu, servers)
        if measured_ms < RATIO_FROM_MS:
            return unknown(self.why(gpu, "energy_mj") or WARMING_UP)
        marks = (*self.scope(gpu), "est") if self.view.gpus[gpu].flags & Flag.ESTIMATED else self.scope(gpu)
        width_ms = AT_END_WINDOW_MS if any(map(self.at_end, servers)) else WINDOW_MS
        return Figure(energy_mj / measured_ms, coverage=min(1.0, measured_ms / width_ms), marks=marks)

    def stretch_ms(self, servers: Sequence[int]) -> tuple[int, int]:
        """(from, to] that the tokens of `servers` came in; the usual window without any."""
        stretches = [
            (min(stretch[0], stretch[1] - self.read_ms(server, long=long)), stretch[1])
            for server in servers
            for long in (self.at_end(server),)
            for sums in self.flow_sums(server)
            if (stretch := sums.stretch_ms(long=long)) is not None
        ]
        if not stretches:
            return self.now_ms - WINDOW_MS, self.now_ms
        return min(from_ms for from_ms, _ in stretches), max(to_ms for _, to_ms in stretches)

    # --- servers --------------------------------------------------------------------------------------------------

    @cached_property
    def servers(self) -> list[tuple[int, ServerBody]]:
        """The servers of the moment by address."""
        known_servers = ((entity, self.in_force("facts", entity, ServerBody)) for entity in self.view.servers)
        return sorted(((entity, body) for entity, body in known_servers if body), key=lambda pair: pair[1].address)

    @cached_property
    def gpus_of(self) -> dict[int, list[int]]:
        """Server → GPUs it is placed on, by index."""
        placed: dict[int, list[int]] = {}
        for _, entry in self.gpus:
            for server in self.placement(entry.entity).servers:
                placed.setdefault(server, []).append(entry.entity)
        return placed

    @cached_property
    def _flows_of(self) -> dict[int, list[int]]:
        flows: dict[int, list[int]] = {}
        for flow in sorted(self.view.flows):
            flows.setdefault(self.view.entities[flow].parent, []).append(flow)
        return flows

    def server(self, server: int) -> ServerBody | None:
        return self.in_force("facts", server, ServerBody)

    def counted(self, server: int) -> bool:
        """Its tokens may enter figures in money: not another user's, unless accepted."""
        body = self.server(server)
        return body is not None and body.verified

    def elsewhere(self, server: int, field: str) -> bool:
        """That counter of FlowTotals is counted at another server."""
        flag = Flag.PROMPT_ELSEWHERE if field in _OF_PROMPTS else Flag.OUTPUT_ELSEWHERE
        flows = self._flows_of.get(server, ())
        return bool(flows) and all(self.view.flows[flow].flags & flag for flow in flows)

    def at_end(self, server: int) -> bool:
        body = self.server(server)
        return body is not None and body.moves == "at end"

    @cached_property
    def tenants(self) -> Tenants:
        """For whom tokens are made that their engines count for nobody."""
        return Tenants(self)

    def flow_entities(self, server: int) -> list[int]:
        """The server's flows, in the order of `window`."""
        return self._flows_of.get(server, [])

    def flow_sums(self, server: int) -> list[FlowSums]:
        return [self.view.flow_sums[flow] for flow in self._flows_of.get(server, ())]

    def read_ms(self, server: int, *, long: bool) -> int:
        """How much of the window the server's pages were read in."""
        return self.view.server_sums[server].read_ms(long=long)

    def token_rate(self, server: int, field: str, *, counted: bool = False) -> Figure:
        """One counter of FlowTotals of a server per second, over the window its engine needs.

        counted: only what may be added to other servers' rates, 0 where all of it is counted at those; else what the
        server itself tells.
        """
        key = server, field, counted
        if key not in self._rates:
            self._rates[key] = self._token_rate(server, field, counted=counted)
        return self._rates[key]

    def _token_rate(self, server: int, field: str, *, counted: bool) -> Figure:
        long = self.at_end(server)
        width_ms = AT_END_WINDOW_MS if long else WINDOW_MS
        marks = ("long",) if long else ()
        if not self.view.servers[server].up:
            marks = (*marks, "stale")
        window = self.window(server, counted=counted)
        known_ms = max((getattr(totals, f"{field}_ms") for totals in window), default=0)
        if known_ms:
            # Of a flow that comes late, such as a tenant's first request, nothing came before it.
            amount = sum(getattr(totals, field) for totals in window)
            return per_second(amount, max(known_ms, self.read_ms(server, long=long)), width_ms, marks)
        if counted and self.token_rate(server, field).value is not None:
            return Figure(0.0)  # without its marks: nothing of it is in the sum
        return unknown(self._why_no_rate(server))

    def few(self, servers: Sequence[int]) -> bool:
        """Fewer than 100 output tokens in the window: a ratio of them says little."""
        return sum(totals.output_tokens for server in servers for totals in self.window(server)) < FEW_TOKENS

    def warm(self, servers: Sequence[int]) -> bool:
        """The window holds enough time for a ratio."""
        return any(totals.length_ms >= RATIO_FROM_MS for server in servers for totals in self.window(server))

    def window(self, server: int, *, counted: bool = False) -> list[FlowTotals]:
        """The sums of each of its flows over the window its engine needs; `counted` as in `token_rate`."""
        key = server, counted
        if key not in self._windows:
            long = self.at_end(server)
            self._windows[key] = [sums.totals(long=long, counted=counted) for sums in self.flow_sums(server)]
        return self._windows[key]

    def _why_no_rate(self, server: int) -> str:
        problem = self.in_force("problem", server, ProblemBody)
        if problem and problem.text:
            return problem.text
        body = self.server(server)
        if body is not None and body.moves == "none":
            return "counts no tokens"
        return "not on page" if self.warm([server]) else WARMING_UP
