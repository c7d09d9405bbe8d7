"""Balance: whether the replicas of a deployment share its requests, and which of them is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.fleet.tally import HostKey

UNEVEN_FROM: Final = 1.5  # times the mean, from which a replica is told to carry too much
LEFT_OUT: Final = "left out: no request while others queue"


class Replica(NamedTuple):
    """A deployment's requests on one host."""

    host: HostKey
    engine: str
    up: bool
    running: int | None
    waiting: int | None


def imbalance(replicas: Sequence[Replica]) -> Figure:
    """The busiest replica's running requests ÷ the mean of all that answer; 1 is even, n is one of n doing all."""
    running = [each.running for each in replicas if each.up and each.running is not None]
    if len(running) < 2:
        return unknown("one replica" if len(replicas) == 1 else "running requests of less than two replicas are known")
    if not any(running):
        return unknown("no requests")
    return Figure(max(running) * len(running) / sum(running))


def misrouted(replicas: Sequence[Replica]) -> tuple[HostKey, ...]:
    """Hosts without a request while another one of the same model and engine has a queue."""
    queues = {each.engine for each in replicas if each.up and each.waiting}
    return tuple(
        each.host for each in replicas if each.up and each.running == 0 and not each.waiting and each.engine in queues
    )


def verdicts(replicas: Sequence[Replica]) -> tuple[str, ...]:
    """What is to be said of each replica beside its numbers; "" where nothing is."""
    left_out = set(misrouted(replicas))
    running = [each.running for each in replicas if each.up and each.running is not None]
    mean = sum(running) / len(running) if len(running) > 1 else 0.0
    return tuple(_verdict(each, each.host in left_out, mean) for each in replicas)


def _verdict(replica: Replica, left_out: bool, mean: float) -> str:
    if not replica.up:
        return "does not answer"
    if left_out:
        return LEFT_OUT
    if mean and replica.running and replica.running >= UNEVEN_FROM * mean:
        return f"{replica.running / mean:.1f}× the mean"
    return ""
