"""Which alerts say nothing that a fault on the same GPUs does not say already."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tokwatch.ledger.alerts.body import AlertBody
from tokwatch.ledger.alerts.rules import FAULTS
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import StateBody


def inhibitor(alert: AlertBody, gpus: Collection[int], states: Mapping[int, StateBody]) -> str:
    """Key of the fault that inhibits an alert about these GPUs, "" without one.

    A lost GPU inhibits everything about it, any fault an idle alert. One GPU without a fault, and it has more to say.
    """
    found = [states.get(gpu) for gpu in gpus]
    if not found or (alert.of == "state" and alert.state in FAULTS):
        return ""
    faults = FAULTS if State(alert.state).idle else (State.LOST,)
    if not all(body is not None and body.confirmed and body.state in faults for body in found):
        return ""
    present = {body.state for body in found if body is not None}
    return next(fault.name.lower() for fault in FAULTS if fault in present)
