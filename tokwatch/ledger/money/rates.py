"""What each GPU of one moment costs an hour, by part, and what it draws at the building's meter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import NO_PRICE, unknown
from tokwatch.ledger.prices.facility import Facility, facility_energy
from tokwatch.ledger.prices.gpu_terms import Parts, PricedGpu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokwatch.ledger.moment import Moment

NO_TARIFF = "no electricity price set"
_SECOND_MS = 1000


class Hourly(NamedTuple):
    """Dollars an hour of one GPU; `whole` False where its electricity is paid for by itself and not known."""

    parts: Parts
    whole: bool
    marks: tuple[str, ...]  # of the watts behind parts.energy


class Rates:
    """Present prices times present draw; made anew for every Moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._prices = moment.version.prices if moment.version else None
        host = moment.view.run.host
        electricity = self._prices.electricity_at(host) if self._prices else None
        self.usd_per_kwh = electricity.at(moment.now_ms) if electricity else None
        self.facility = self._prices.facility_at(host) if self._prices else Facility()
        self._hourly: dict[tuple[int, tuple[int, ...]], Hourly | None] = {}
        self._host_w = self._measured_host_w() if self.facility.host == "measured" else None

    def priced(self, body: GpuBody) -> PricedGpu:
        """How the price book knows a GPU."""
        return PricedGpu(body.uuid, body.name, self._moment.view.run.host)

    def hourly(self, gpu: int, servers: Sequence[int] = ()) -> Hourly | None:
        """What it costs now; None when nobody set a price. `servers`: its watts are of the stretch of their tokens."""
        key = gpu, tuple(servers)
        if key not in self._hourly:
            self._hourly[key] = self._find_hourly(gpu, servers)
        return self._hourly[key]

    def _find_hourly(self, gpu: int, servers: Sequence[int]) -> Hourly | None:
        body = self._moment.in_force("facts", gpu, GpuBody)
        priced = self.priced(body) if body else None
        fixed = self._prices.fixed(priced) if self._prices and priced else None
        if fixed is None or self._prices is None or priced is None:
            return None
        if not self._prices.metered(priced):
            return Hourly(fixed, True, ())
        drawn = self.facility_w(gpu, servers)
        if drawn.value is None or self.usd_per_kwh is None:
            return Hourly(fixed, False, ())
        energy = drawn.value / 1000 * self.usd_per_kwh
        return Hourly(fixed._replace(energy=energy), "part" not in drawn.marks, drawn.marks)

    def usd_per_hour(self, gpu: int, servers: Sequence[int] = ()) -> Figure:
        """All parts together; marked "part" where electricity belongs to it and is not known."""
        hourly = self.hourly(gpu, servers)
        if hourly is None:
            return unknown(NO_PRICE)
        marks = {*hourly.marks, *(() if hourly.whole else ("part",))}
        return Figure(hourly.parts.total, marks=tuple(sorted(marks)))

    def facility_w(self, gpu: int, servers: Sequence[int] = ()) -> Figure:
        """(board + host's share) × PUE as far as the price book names them; "part" where the host's share should be in
        it and is not known."""
        board = self._moment.watts(gpu, servers)
        if board.value is None:
            return board
        body = self._moment.in_force("facts", gpu, GpuBody)
        host_w = self._host_share_w(body)
        drawn = facility_energy(
            self.facility, board.value * _SECOND_MS, _SECOND_MS, None if host_w is None else host_w * _SECOND_MS
        )
        marks = board.marks if drawn.whole else tuple(sorted({*board.marks, "part"}))
        return Figure(drawn.energy_mj / _SECOND_MS, coverage=board.coverage, marks=marks)

    def _host_share_w(self, body: GpuBody | None) -> float | None:
        gpus = len(self._moment.gpus)
        if self._host_w is None or not gpus:
            return None
        watts, whole_box = self._host_w
        if not whole_box:  # the processor packages alone
            return 0.0 if body is not None and body.kind == PACKAGE else watts / gpus
        boards = [self._moment.watts(entry.entity).value for _, entry in self._moment.gpus]
        known = [board for board in boards if board is not None]
        return max(0.0, watts - sum(known)) / gpus if len(known) == gpus else None

    def _measured_host_w(self) -> tuple[float, bool] | None:
        """(watts over the window, True: of the whole box, GPUs included; False: of its processor packages)."""
        energy_mj, energy_ms, package_mj, package_ms = self._moment.view.host_energy.sums
        if energy_ms:
            return energy_mj / energy_ms, True
        return (package_mj / package_ms, False) if package_ms else None
