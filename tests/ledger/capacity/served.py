"""A box whose server makes tokens at a pace that may change, recorded tick by tick."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.readings import Histogram, Moves, ServerFacts, ServerReading
from tests.ledger.box import Box, placed
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.entries import Event

EVERY_S = 5
MET = SettingsBody(interval_s=EVERY_S, slo_tpot_s=0.05)
NO_SLO = SettingsBody(interval_s=EVERY_S)
FACTS = placed(0, 1, tensor_parallel=2)
FIVE_S, HOUR_S = 300, 3600


class Served:
    """Two GPUs at 300 W and one server; `slow` requests miss the SLO."""

    def __init__(self, settings: SettingsBody = MET, facts: ServerFacts = FACTS) -> None:
        self.box = Box(settings=settings)
        self.facts = facts
        self.second = 0
        self.out = self.prompt = self.finished = self.slow = 0
        self.moves = Moves.LIVE

    def serve(
        self, for_s: int, out_s: int = 1_000, prompt_s: int = 500, *, slow: bool = False, finished_s: int = 2
    ) -> list[Event]:
        """Events of capacity of the ticks that follow."""
        first = len(self.box.records)
        for _ in range(for_s // EVERY_S):
            self.out += out_s * EVERY_S
            self.prompt += prompt_s * EVERY_S
            self.finished += finished_s * EVERY_S
            self.slow += slow * finished_s * EVERY_S
            self.second += EVERY_S
            self.turn(self.page())
        return [event for record in self.box.records[first:] for event in of_capacity(record.events)]

    def page(self) -> ServerReading:
        counts = (self.finished - self.slow, self.finished)
        tpot = Histogram((0.05,), counts, self.finished * 0.02)
        of_model = flow(
            output_tokens=self.out, prompt_tokens=self.prompt, finished=self.finished, histograms=(("tpot", tpot),)
        )
        return page(self.second, of_model, facts=self.facts, moves=self.moves)

    def turn(self, reading: ServerReading) -> None:
        self.box.turn(self.second, [gpu(self.second), gpu(self.second, 1)], [reading])


def of_capacity(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.kind in ("operating", "frontier", "capacity", "load")]
