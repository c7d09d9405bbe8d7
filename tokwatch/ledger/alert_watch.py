"""What alerts are judged by, gathered as a tick is booked: GPUs by their states, prices and names."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.readings import GpuReading, ServerFacts
from tokwatch.ledger.alerts import AlertBody, AlertPolicy, AlertTracker, Watched
from tokwatch.ledger.alerts.budget import Spending
from tokwatch.ledger.alerts.conditions import Figures
from tokwatch.ledger.alerts.mutes import Mute, Subject
from tokwatch.ledger.entries import Event, Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.prices.gpu_terms import PricedGpu
from tokwatch.ledger.states import StateBody

_HEARD_WITHIN_MS = 300_000  # exporters are scraped every 15 to 60 s; what is older is no longer there


class AlertWatch:
    """One host's GPUs as alerts know them. `book` and `mutes` may be set at any time."""

    def __init__(self, run: Run, policy: AlertPolicy | None) -> None:
        self.book = PriceBook()
        self.mutes: tuple[Mute, ...] = ()
        self._host = run.host
        self._tracker = AlertTracker(policy, host=run.host, zone=zone_of(run.timezone))
        self._states: dict[int, StateBody] = {}
        self._heard_ms: dict[int, int] = {}  # GPU → the last tick that it was read in
        self._priced: dict[int, PricedGpu] = {}
        self._subjects: dict[int, Subject] = {}
        self._models: dict[str, str] = {}  # by address of the server, as its page names it

    def resume(self, key: str, body: AlertBody) -> None:
        """Go on from an earlier run's alert."""
        self._tracker.resume(key, body)

    def server(self, address: str, model: str) -> None:
        """What a server's page says it serves."""
        self._models[address] = model

    def gpu(
        self, entity: int, reading: GpuReading, servers: Iterable[ServerFacts], state: StateBody, tick_ms: int
    ) -> None:
        """A GPU was read, and judged to be in a state."""
        facts = reading.facts
        self._states[entity], self._heard_ms[entity] = state, tick_ms
        if reading.problem is None or entity not in self._priced:
            self._priced[entity] = PricedGpu(facts.uuid, facts.name, self._host)
        models = {self._models.get(server.address) or server.model for server in servers}
        self._subjects[entity] = Subject(
            self._host, facts.index, facts.uuid, tuple(sorted(model for model in models if model))
        )

    def step(self, tick_ms: int, figures: Figures | None, spending: Spending | None) -> tuple[Event, ...]:
        """What changed. A GPU that nothing was heard of for longer than any meter takes has no state to judge by."""
        states = {gpu: s for gpu, s in self._states.items() if tick_ms - self._heard_ms[gpu] < _HEARD_WITHIN_MS}
        version = self.book.at(tick_ms)
        fixed = {gpu: version.prices.fixed(self._priced[gpu]) if version else None for gpu in states}
        usd_per_hour = {gpu: parts.total if parts else None for gpu, parts in fixed.items()}
        self._tracker.mutes = self.mutes
        return self._tracker.step(tick_ms, Watched(states, self._subjects, usd_per_hour, figures, spending))
