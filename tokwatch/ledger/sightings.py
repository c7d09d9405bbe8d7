"""What one tick is made of: what the collectors brought, and what the ledger is told beside it."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.readings import GpuReading, HostReading, Probe, ServerFacts, ServerReading
from tokwatch.ledger.alerts.budget import Spending
from tokwatch.ledger.alerts.conditions import Figures
from tokwatch.ledger.devices import nothing_found


@dataclass(frozen=True, slots=True)
class Sightings:
    """What the collectors brought since the last tick, and what is known to run."""

    gpus: tuple[GpuReading, ...] = ()
    servers: tuple[ServerReading, ...] = ()
    known_servers: tuple[ServerFacts, ...] = ()
    host_pids: bool = True  # False: the servers' pids are a container's, never to be compared with the driver's
    host: HostReading | None = None
    probes: tuple[Probe, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()  # the recorder's own: (what, words); words empty when over
    figures: Figures | None = None  # of the last Snapshot: what alerts on figures are judged by
    spending: Spending | None = None  # of this month, as far as it is stored: what the budget is judged by

    @property
    def nothing_found(self) -> bool:
        """Neither a server nor a GPU is here."""
        return nothing_found(self.known_servers, (gpu.facts.kind for gpu in self.gpus))
