"""What was found as rows of a store: things get their numbers and facts, and each GPU its owner."""

from __future__ import annotations

from tokwatch.feeds.prometheus_quarters.gpus import GpusFound
from tokwatch.feeds.prometheus_quarters.owners import at_work, owners
from tokwatch.feeds.prometheus_quarters.rows import flow_quarter, gpu_quarter
from tokwatch.feeds.prometheus_quarters.servers import FlowCounts, ServersFound
from tokwatch.feeds.prometheus_quarters.things import Flow, Gpu, Server
from tokwatch.ledger.bodies import GpuBody, ServerBody
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
        self._models: dict[Server, str] = {}

    def add_servers(self, found: ServersFound) -> None:
        """Rows of flows, and what their servers are."""
        rows = []
        for (flow, quarter_ms), told in sorted(found.flows.items(), key=lambda each: (each[0][1], each[0][0])):
            self._describe(flow, quarter_ms, found)
            key = flow_key(self._server(flow.server, quarter_ms), flow.model, "", flow.tenant, flow.tier)
            entity = self._store.entity(
                "flow", flow.server.host, key, parent=self._server(flow.server, quarter_ms), seen_ms=quarter_ms
            )
            covered_ms = found.observed_ms.get((flow.server, quarter_ms), 0)
            if covered_ms or told.counts:
                rows.append(
                    flow_quarter(
                        told, found.latencies.get((flow, quarter_ms), ()), covered_ms, (quarter_ms, RUN, entity)
                    )
                )
        self._store.add(Quarters([], rows))

    def add_gpus(self, gpus: GpusFound, found: ServersFound) -> None:
        """Rows of GPUs that have none of this stretch yet."""
        rows = []
        serving = owners(gpus.told, found)
        for (gpu, quarter_ms), told in sorted(gpus.told.items(), key=lambda each: (each[0][1], each[0][0])):
            servers = serving[gpu, quarter_ms]
            place = quarter_ms, RUN, self._gpu(gpu, quarter_ms, gpus), self._owner(servers, quarter_ms)
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

    def _describe(self, flow: Flow, quarter_ms: int, found: ServersFound) -> None:
        """With the model that it made tokens of last."""
        vocabulary = found.vocabularies[flow.server]
        told: FlowCounts = found.flows[flow, quarter_ms]
        if told.counts.get("output_tokens") or flow.server not in self._models:
            self._models[flow.server] = flow.model
        body = ServerBody(
            address=flow.server.address,
            engine=flow.server.engine,
            model=self._models[flow.server],
            owner="",
            verified=True,
            moves=vocabulary.moves.value,
            layer=vocabulary.layer.value,
        )
        self._store.describe(self._server(flow.server, quarter_ms), quarter_ms, body)

    def _owner(self, servers: tuple[Server, ...], quarter_ms: int) -> int:
        """0: nobody."""
        numbers = [self._server(server, quarter_ms) for server in servers]
        if len(numbers) < 2:
            return numbers[0] if numbers else 0
        host = servers[0].host
        parent = self._store.host(host, quarter_ms)
        key = group_key([number] for number in numbers)
        return self._store.entity("group", host, key, parent=parent, seen_ms=quarter_ms)
