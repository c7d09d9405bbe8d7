"""What each GPU is doing: signals → one of fifteen states, its beginning and its dwell; docs/states.md is the table.

Rules are tried in order and the first that holds is the state. Seconds are booked to it at once; `confirmed` says that
it has lasted its dwell time, which is when alerts may speak of it.
"""

from tokwatch.ledger.states.judge import judge
from tokwatch.ledger.states.signals import Past, Signals
from tokwatch.ledger.states.thresholds import Thresholds
from tokwatch.ledger.states.tracker import StateBody, StateTracker

__all__ = ["Past", "Signals", "StateBody", "StateTracker", "Thresholds", "judge"]
