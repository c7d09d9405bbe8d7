"""What the names in formulas of devices, of their states and of the recorder itself stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tokwatch.ledger.accounts import Account
from tokwatch.ledger.alert_rows import alert_bodies, booked
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import GpuEntry, State
from tokwatch.ledger.explain.measured import leaf
from tokwatch.ledger.explain.quantity import Quantity, made_of, sum_of
from tokwatch.ledger.explain.subject import Subject
from tokwatch.ledger.snapshot import AlertRow, GpuRow, StripRow

_PERMILLE: Final = {
    "utilization": "util_permille",
    "tensor_activity": "tensor_permille",
    "dram_activity": "dram_permille",
}


class OfGpu(Subject):
    """One device."""

    row: GpuRow

    @property
    def servers(self) -> Sequence[int]:
        return self.row.servers

    @property
    def gpus(self) -> Sequence[int]:
        whole = self._whole() if self.field in ("tok_per_j", "usd_per_m_output") else None
        return self.ground.accounts.gpus_of(whole) if whole else (self.row.entity,)

    def _whole(self) -> Account | None:
        """The deployment of several servers that its ratios are told of."""
        on = self.ground.accounts.on_gpu(self.row.entity)
        return on[0] if len(on) == 1 and len(on[0].servers) > 1 else None

    def its_tok_s(self) -> Quantity | None:
        ground, on = self.ground, list(self.ground.accounts.on_gpu(self.row.entity))
        on += [Account((server,)) for server in self.row.servers if not ground.moment.counted(server)]
        shares = []
        for account in on:
            made = ground.rate(account.servers, "output_tokens")
            if made is None:
                continue
            gpus = ground.accounts.gpus_of(account) or [
                gpu for server in account.servers for gpu in ground.moment.gpus_of.get(server, ())
            ]
            sharing = leaf("sharing_gpus", max(1, len(gpus)))
            shares.append(
                made_of("its share", "tok/s", "made_tok_s / sharing_gpus", made_tok_s=made, sharing_gpus=sharing)
            )
        return sum_of("its share", "tok/s", tuple(shares)) if shares else None

    def output_tok_s(self) -> Quantity | None:
        whole = self._whole()
        return self.its_tok_s() if whole is None else self.ground.rate(whole.servers, "output_tokens")

    def drawn_w(self) -> Quantity | None:
        whole = self._whole()
        if whole is not None:
            return self.ground.account_watts(whole)
        return self.ground.watts(self.row.entity, self.row.servers)

    def own_usd_per_hour(self) -> Quantity | None:
        whole = self._whole()
        return self.price() if whole is None else self.ground.account_price(whole)

    def price(self) -> Quantity | None:
        return self.ground.price(self.row.entity, list(self.row.servers))

    def spent_usd(self) -> Quantity | None:
        return self.ground.spent(self.row.entity, self.ground.moment.view.idle_today.get(self.row.entity, {}))

    def state_spent_usd(self) -> Quantity | None:
        return self.ground.spent(self.row.entity, self.ground.moment.view.in_state.get(self.row.entity, {}))

    def power_mw(self) -> Quantity | None:
        return self._read("power_mw", self._entry.power_mw)

    def limit_mw(self) -> Quantity | None:
        return self._read("limit_mw", None if self.row.power_limit_w is None else self.row.power_limit_w * 1000)

    def permille(self) -> Quantity | None:
        return self._read("permille", getattr(self._entry, _PERMILLE[self.field]))

    def memory_mib(self) -> Quantity | None:
        total = None if self.row.memory_total_gib is None else self.row.memory_total_gib * 1024
        return self._read("memory_mib", total if self.field == "memory_total_gib" else self._entry.memory_used_mib)

    def degrees_c(self) -> Quantity | None:
        entry = self._entry
        memory = self.field == "memory_temperature_c"
        return self._read("degrees_c", entry.memory_temperature_c if memory else entry.temperature_c)

    def clock_mhz(self) -> Quantity | None:
        return self._read("clock_mhz", self._entry.sm_clock_mhz)

    @property
    def _entry(self) -> GpuEntry:
        return self.ground.moment.view.gpus[self.row.entity]

    def _read(self, name: str, value: float | None) -> Quantity | None:
        return None if value is None else leaf(name, value)


class OfStrip(Subject):
    """One row of the strip."""

    row: StripRow

    @property
    def gpus(self) -> Sequence[int]:
        return (self.row.entity,)

    def spent_usd(self) -> Quantity | None:
        moment, from_ms = self.ground.moment, self.ground.snapshot.strip_from_ms
        idle = [span for span in self.row.spans if State[span.state.upper().replace(" ", "_")].idle]
        spent: dict[int, int] = {}
        for start, end, version in moment.view.book.segments(from_ms, moment.now_ms):
            key = version.id if version else 0
            length_ms = sum(clip_ms(span.from_ms, span.to_ms, start, end) for span in idle)
            if length_ms:
                spent[key] = spent.get(key, 0) + length_ms
        return self.ground.spent(self.row.entity, spent)


class OfAlert(Subject):
    """One alert on a state of some GPUs."""

    row: AlertRow

    @property
    def gpus(self) -> Sequence[int]:
        return [entry.entity for body, entry in self.ground.moment.gpus if body.index in self.row.gpus]

    def own_usd_per_hour(self) -> Quantity | None:
        snapshot = self.ground.snapshot
        inside = [row.entity for row in snapshot.gpus if row.index in self.row.gpus and row.state == self.row.state]
        found = [self.ground.price(gpu, ()) for gpu in inside]
        parts = tuple(price for price in found if price is not None)
        return sum_of("price", "$/h", parts) if parts else None

    def spent_usd(self) -> Quantity | None:
        moment = self.ground.moment
        body = alert_bodies(moment)[self.row.key]
        here = {entry.entity for _, entry in moment.gpus}
        times = booked(moment, self.row.key, body)
        found = [self.ground.spent(gpu, spent) for gpu, spent in times.items() if gpu in here]
        parts = tuple(spent for spent in found if spent is not None)
        return sum_of("spent", "$", parts) if parts else None


class OfSelf(Subject):
    """The recorder."""

    def cpu_s(self) -> Quantity | None:
        return leaf("cpu_s", self._sums[0] / 1000)

    def watched_s(self) -> Quantity | None:
        return leaf("watched_s", self._sums[1] / 1000)

    def page_bytes(self) -> Quantity | None:
        return leaf("page_bytes", self._sums[2])

    def left_out(self) -> Quantity | None:
        return leaf("left_out", self._sums[3])

    def memory_kib(self) -> Quantity | None:
        host = self.ground.moment.view.host
        return None if host is None else leaf("memory_kib", host.self_rss_kib)

    @property
    def _sums(self) -> list[int]:
        return self.ground.moment.view.self_cost.sums
