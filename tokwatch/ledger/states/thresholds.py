"""The `[states]` of the config: what it takes to enter a state, to be confirmed in it, and to leave it."""

from __future__ import annotations

import msgspec

from tokwatch.ledger.entries import State


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds unless named otherwise. `…_after_s` is how long a state must last before it is confirmed.

    It counts from the state's beginning. A gauge of a page shows one instant: what rests on one (a hang, a queue) must
    have been seen through the whole evidence window before its state begins. Raises ValueError where a state would be
    left more easily than it is entered.
    """

    evidence_window_s: float = 30.0  # tokens moved in it mean work; nothing idle is judged before it is full
    lost_after_s: float = 15.0
    loading_at_most_s: float = 960.0  # a process whose endpoint is not up by then is HELD; the alert comes at 900 s
    stalled_after_s: float = 30.0  # thus a minute in all
    stalled_ttfts: float = 3.0  # or so many times the p99 of TTFT in all, where a page tells it: a long prefill
    hot_utilization: float = 0.5  # busy time from which a hang is one in a kernel
    throttled_after_s: float = 60.0
    throttled_share: float = 0.2  # of the evidence window
    throttled_leaves_at_share: float = 0.05
    throttled_leaves_after_s: float = 120.0
    saturated_after_s: float = 30.0  # thus a minute in all, as of the next two
    saturated_kv: float = 0.95  # share of the KV cache in use
    saturated_leaves_at_kv: float = 0.85
    saturated_leaves_after_s: float = 60.0
    backlog_after_s: float = 30.0
    backlog_leaves_after_s: float = 60.0
    misrouted_after_s: float = 30.0
    misrouted_leaves_after_s: float = 30.0
    parked_after_s: float = 300.0
    held_after_s: float = 600.0
    held_leaves_at_utilization: float = 0.05
    unallocated_after_s: float = 300.0
    idle_utilization: float = 0.01  # busy time below which a GPU runs no kernels worth the name
    underbatched_after_s: float = 600.0
    underbatched_load: float = 0.25  # of the capacity
    underbatched_leaves_at_load: float = 0.35
    underbatched_leaves_after_s: float = 120.0
    other_work_after_s: float = 60.0

    def __post_init__(self) -> None:
        for enters, leaves, rising in _PAIRS:
            enters_at, leaves_at = getattr(self, enters), getattr(self, leaves)
            if enters_at != leaves_at and (leaves_at > enters_at) is not rising:
                raise ValueError(
                    f"{leaves} = {leaves_at} must not lie {'below' if rising else 'above'} {enters} = {enters_at}"
                )

    def dwell_s(self, state: State) -> float:
        """How long a state must last, from its beginning, before it is confirmed."""
        key = _DWELL.get(state)
        return 0.0 if key is None else float(getattr(self, key))

    def leaves_after_s(self, state: State) -> float:
        """How long what made a confirmed state must be gone before the state is left."""
        key = _LEAVES.get(state)
        return 0.0 if key is None else float(getattr(self, key))


# (entered at, left at, left above rather than below it)
_PAIRS = (
    ("throttled_share", "throttled_leaves_at_share", False),
    ("saturated_kv", "saturated_leaves_at_kv", False),
    ("idle_utilization", "held_leaves_at_utilization", True),
    ("underbatched_load", "underbatched_leaves_at_load", True),
)


def _keys(suffix: str) -> dict[State, str]:
    fields = Thresholds.__struct_fields__
    return {state: key for state in State if (key := f"{state.name.lower()}_{suffix}") in fields}


_DWELL = _keys("after_s")
_LEAVES = _keys("leaves_after_s")
