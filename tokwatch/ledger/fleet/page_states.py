"""What each GPU of a host is doing where its pages do not tell: the coarse rule, over the last minute of pages."""

from __future__ import annotations

from functools import cache
from typing import Final

from tokwatch.ledger.fleet.judging import HELD_MIB, QUIET_UTILIZATION, Counted, states_of

WINDOW_MS: Final = 60_000  # as a Prometheus is asked
_QUIET_PERMILLE: Final = QUIET_UTILIZATION * 1000


class PageStates:
    """Judges the GPUs of one host. Instants are milliseconds of one clock."""

    def __init__(self) -> None:
        self._busy_ms: dict[str, int] = {}  # when each GPU was busy last, by its key
        self._work_ms: int | None = None  # when a server was at work last

    def worked(self, at_ms: int) -> None:
        """A server has running requests, or counted something."""
        self._work_ms = at_ms

    def state(
        self, gpu: str, at_ms: int, util_permille: int | None, memory_used_mib: int | None, *, has_server: bool
    ) -> int:
        """The GPU's state at `at_ms`."""
        if util_permille is not None and util_permille >= _QUIET_PERMILLE:
            self._busy_ms[gpu] = at_ms
        busy_ms = self._busy_ms.get(gpu)
        return _state(
            util_permille is not None,
            busy_ms is None or at_ms - busy_ms >= WINDOW_MS,
            memory_used_mib is not None and memory_used_mib >= HELD_MIB,
            has_server,
            has_server and self._work_ms is not None and at_ms - self._work_ms < WINDOW_MS,
        )


@cache
def _state(told: bool, quiet: bool, held: bool, has_server: bool, at_work: bool) -> int:
    counted = Counted(1, int(told), int(told and quiet), int(told and quiet and held), has_server, at_work)
    ((state, _),) = states_of(counted)
    return state
