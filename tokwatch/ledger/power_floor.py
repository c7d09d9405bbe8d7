"""The power floor of each GPU, learnt: what it draws with nothing on it, and from which watts on it surely works.

Floor Pf: the 5th percentile, by time, of the power drawn while the GPU was free; until it is known 12 % of the limit.
Work Pb = Pf + 0.3 · (limit − Pf): a 700 W H100 with its floor at 84 W works above 269 W; one request alone takes it to
300 W (ML.ENERGY v3.0).
"""

from __future__ import annotations

from tokwatch.ledger.bodies import FloorBody
from tokwatch.ledger.entries import Flag, GpuEntry, State

_QUANTILE = 20  # one part in so many lies below the floor
_UNTIL_KNOWN = 0.12  # of the limit
_WORKS_FROM = 0.3  # of the way from the floor to the limit
_ENOUGH_MS = 60_000  # less is no floor: watts fall for some seconds after a process ends
_REMEMBERED_MS = 24 * 3_600_000  # then all counts half: a floor moves with the driver, the clocks and the season
_NEWS_W = 2


class PowerFloors:
    """The floors of one host's GPUs, by entity."""

    def __init__(self) -> None:
        self._drawn_ms: dict[int, dict[int, int]] = {}  # GPU → whole watts → time at them
        self._told_w: dict[int, int] = {}

    def resume(self, gpu: int, body: FloorBody) -> None:
        """Go on from what an earlier run learnt."""
        self._drawn_ms[gpu] = dict(body.drawn_ms)
        self._told_w[gpu] = body.floor_w

    def floor_w(self, gpu: int) -> int | None:
        """Pf; None until the GPU was seen free for a minute."""
        drawn_ms = self._drawn_ms.get(gpu, {})
        total_ms = sum(drawn_ms.values())
        if total_ms < _ENOUGH_MS:
            return None
        below_ms = 0
        for watts in sorted(drawn_ms):
            below_ms += drawn_ms[watts]
            if below_ms * _QUANTILE >= total_ms:
                break
        return watts

    def work_w(self, gpu: int, limit_w: float | None) -> float | None:
        """Pb; None where the limit is not known."""
        if limit_w is None:
            return None
        learnt_w = self.floor_w(gpu)
        floor_w = _UNTIL_KNOWN * limit_w if learnt_w is None else learnt_w
        return floor_w + _WORKS_FROM * (limit_w - floor_w)

    def learn(self, entry: GpuEntry, state: int) -> FloorBody | None:
        """Take the entry of a GPU in this state into account; what is known, when the floor has moved.

        Only of a free GPU: an empty process list alone may be that of a container, which does not see its host's.
        """
        if state != State.UNALLOCATED or entry.power_mw is None or entry.flags & Flag.GAP:
            return None
        drawn_ms = self._drawn_ms.setdefault(entry.entity, {})
        watts = round(entry.power_mw / 1000)
        drawn_ms[watts] = drawn_ms.get(watts, 0) + entry.t1_ms - entry.t0_ms
        if sum(drawn_ms.values()) > _REMEMBERED_MS:
            self._drawn_ms[entry.entity] = {each: ms // 2 for each, ms in drawn_ms.items() if ms > 1}
        floor_w = self.floor_w(entry.entity)
        told_w = self._told_w.get(entry.entity)
        if floor_w is None or (told_w is not None and abs(floor_w - told_w) < _NEWS_W):
            return None
        self._told_w[entry.entity] = floor_w
        return FloorBody(floor_w, dict(sorted(self._drawn_ms[entry.entity].items())))
