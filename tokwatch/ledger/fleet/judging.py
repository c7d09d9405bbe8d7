"""What the GPUs of a host are doing, where only exporters tell: counts of quiet and busy ones, and its servers' work.

Coarser than `ledger/states`, on purpose: a Prometheus counts on its side, and a scrape every 15 s shows no dwell. Hosts
with an agent tell the states that their own recorder judged.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tokwatch.ledger.entries import State

QUIET_UTILIZATION: Final = 0.05  # busy time, the most within the window, below which a GPU does no work
HELD_MIB: Final = 1024  # device memory from which a quiet GPU is held by somebody; a bare driver takes up to 0.6 GiB


class Counted(NamedTuple):
    """GPUs of one host, or of a part of it that one deployment has to itself."""

    gpus: int
    told: int  # of them, those whose utilisation is known
    quiet: int  # of those, below QUIET_UTILIZATION throughout the window
    quiet_held: int  # of those, with HELD_MIB or more in use
    has_server: bool  # an inference server answers there
    at_work: bool  # … and has running requests, or tokens moved in the window


def states_of(counted: Counted) -> tuple[tuple[int, int], ...]:
    """(State, GPUs) without zeros; they add up to `gpus`.

    A held GPU beside a server at work is SERVING: ranks of a model that is split may be quiet for a window.
    """
    held = State.HELD
    if counted.has_server:
        held = State.SERVING if counted.at_work else State.PARKED
    busy = counted.told - counted.quiet
    found = {
        State.BLIND: counted.gpus - counted.told,
        State.UNALLOCATED: counted.quiet - counted.quiet_held,
        held: counted.quiet_held,
    }
    working = State.SERVING if counted.at_work else State.OTHER_WORK
    found[working] = found.get(working, 0) + busy
    return tuple((state.value, count) for state, count in sorted(found.items()) if count > 0)
