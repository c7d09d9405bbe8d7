"""What was found as rows of a store: things get their numbers and facts, and each GPU its owner."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.feeds.prometheus_quarters.gpus import GpusFound
from tokwatch.feeds.prometheus_quarters.host_power import HostPower
from tokwatch.feeds.prometheus_quarters.owners import at_work, owners
from tokwatch.feeds.prometheus_quarters.rows import elsewhere_quarter, flow_quarter, gpu_quarter, host_quarter
from tokwatch.feeds.prometheus_quarters.servers import ServersFound, layer_of
from tokwatch.feeds.prometheus_quarters.things import Flow, Gpu, Half, Server
from tokwatch.ledger.bodies import GpuBody, ServerBody
from tokwatch.ledger.counting import HERE
from tokwatch.ledger.registry import flow_key, group_key
from tokwatch.store.quarter_import import QuarterImport
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

RUN: int = 1  # one stands for all hosts


class Written:
    """Writes stretch after stretch, in the order of time."""

    def __init__(self, store: QuarterImport) -> None:
        self._store = store
        self._known: set[Gpu] = set()  # GPUs of before
        self._last: dict[Server, tuple[str, str]] = {}  # model, and where its tokens are counted
        self._pairs: dict[int, tuple[object, int]] = {}  # by identity of their servers, which are kept: their groups

    def add_servers(self, found: ServersFound) -> None:
        """Rows of flows, and what their servers are."""
        self._pairs.clear()
        self._describe(found)
        rows, elsewhere = [], []
        for (flow, quarter_ms), told in sorted(found.flows.items(), key=lambda each: (each[0][1], each[0][0])):
            key = flow_key(self._server(flow.server, quarter_ms), flow.model, "", flow.tenant, flow.tier)
            entity = self._store.entity(
                "flow", flow.server.host, key, parent=self._server(flow.server, quarter_ms), seen_ms=quarter_ms
            )
            covered_ms = found.observed_ms.get((flow.server, quarter_ms), 0)
            place = quarter_ms, RUN, entity
            if covered_ms or told.counts:
                histograms = found.latencies.get((flow, quarter_ms), ())
                rows.append(flow_quarter(told, histograms, covered_ms, place))
            if (seen := elsewhere_quarter(told, covered_ms, place)) is not None:
                elsewhere.append(seen)
        self._store.add(Quarters([], rows, elsewhere=elsewhere))

    def add_gpus(self, gpus: GpusFound, found: ServersFound) -> None:
        """Rows of GPUs that have none of this stretch yet."""
        rows = []
        serving = owners(gpus.told, found)
        for (gpu, quarter_ms), told in sorted(gpus.told.items(), key=lambda each: (each[0][1], each[0][0])):
            servers = serving[gpu, quarter_ms]
            place = quarter_ms, RUN, self._gpu(gpu, quarter_ms, gpus), self._owner(servers, quarter_ms, found)
            there_after = (gpu, quarter_ms + QUARTER_MS) in gpus.told or gpu in gpus.after
            rows.append(
                gpu_quarter(
                    told,
                    at_work(servers, quarter_ms, found),
                    place,
                    watched_around=gpu in self._known and there_after,
                )
            )
            self._known.add(gpu)
        self._store.add(Quarters(rows, []))

    def add_hosts(self, power: HostPower) -> None:
        """Rows of hosts whose GPUs are known; a BMC's address that nobody relabelled is no host."""
        gpu_hosts = {gpu.host for gpu in self._known}
        rows = [
            host_quarter(drawn, (quarter_ms, RUN, self._store.host(host, quarter_ms)))
            for (host, quarter_ms), drawn in sorted(power.items(), key=lambda each: (each[0][1], each[0][0]))
            if host in gpu_hosts
        ]
        self._store.add(Quarters([], [], rows))

    def _gpu(self, gpu: Gpu, quarter_ms: int, gpus: GpusFound) -> int:
        entity = self._store.entity(
            "gpu", gpu.host, gpu.key, parent=self._store.host(gpu.host, quarter_ms), seen_ms=quarter_ms
        )
        about, meter = gpus.about[gpu], gpus.meters[gpu]
        body = GpuBody(
            about.number,
            about.uuid,
            about.name,
            memory_total_mib=None,
            power_limit_mw=None,
            driver=about.driver,
            meter=meter.name,
            kind=meter.kind,
        )
        self._store.describe(entity, quarter_ms, body)
        return entity

    def _server(self, server: Server, quarter_ms: int) -> int:
        key = f"{server.address}|{server.engine}"  # as in `registry.server_key`
        parent = self._store.host(server.host, quarter_ms)
        return self._store.entity("server", server.host, key, parent=parent, seen_ms=quarter_ms)

    def _describe(self, found: ServersFound) -> None:
        """Each server, with the model that it made most tokens of, and where those are counted."""
        leading: dict[tuple[int, Server], tuple[int, Flow]] = {}
        for (flow, quarter_ms), told in found.flows.items():
            made = (told.counts | told.elsewhere).get("output_tokens", 0)
            at = quarter_ms, flow.server
            leading[at] = max(leading.get(at, (-1, flow)), (made, flow))
        for (quarter_ms, server), (made, flow) in sorted(leading.items()):
            if made or server not in self._last:
                self._last[server] = flow.model, found.counting.get((flow, quarter_ms), HERE).words
            self._store.describe(self._server(server, quarter_ms), quarter_ms, self._body(server, quarter_ms, found))

    def _body(self, server: Server, quarter_ms: int, found: ServersFound) -> ServerBody:
        model, words = self._last[server]
        pair = found.pairs.get((server, quarter_ms))
        return ServerBody(
            address=server.address,
            engine=server.engine,
            model=model,
            owner="",
            verified=True,
            moves=found.vocabularies[server].moves.value,
            layer=layer_of(server).value,
            role=found.halves.get(server, Half()).role,
            deployment=pair.name if pair else "",
            counts=words,
        )

    def _owner(self, servers: tuple[Server, ...], quarter_ms: int, found: ServersFound) -> int:
        """0: nobody. A server with a half elsewhere stands for the pair."""
        units = found.units(servers, quarter_ms)
        if len(units) == 1:
            return self._unit(units[0], quarter_ms)
        return self._group(units, servers[0].host, quarter_ms) if units else 0

    def _unit(self, unit: tuple[Server, ...], quarter_ms: int) -> int:
        """A pair may have thousands of servers, and their GPUs ask for it one by one."""
        if len(unit) == 1:
            return self._server(unit[0], quarter_ms)
        known = self._pairs.get(id(unit))
        if known is None:
            known = self._pairs[id(unit)] = unit, self._group([unit], unit[0].host, quarter_ms)
        return known[1]

    def _group(self, units: Sequence[Sequence[Server]], host: str, quarter_ms: int) -> int:
        key = group_key([self._server(server, quarter_ms) for server in unit] for unit in units)
        parent = self._store.host(host, quarter_ms)
        return self._store.entity("group", host, key, parent=parent, seen_ms=quarter_ms)
