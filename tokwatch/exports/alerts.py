"""`export alerts`: one row an episode of an alert, from when its condition began until it was over, with its money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Final, Literal

import msgspec
from msgspec.structs import replace

from collectors.labels import clean_label
from tokwatch.exports.formats import write_bytes
from tokwatch.exports.hourly import background_of, reading
from tokwatch.exports.hours import utc
from tokwatch.exports.names import Names
from tokwatch.exports.selection import Selection, select
from tokwatch.feeds.history import History, lineage
from tokwatch.indices import indices
from tokwatch.ledger.alerts import SEVERITIES, AlertBody
from tokwatch.ledger.bodies import body
from tokwatch.ledger.entries import Event, Run, State
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import known_total
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.money.spent import spent_usd
from tokwatch.ledger.prices.gpu_terms import PricedGpu
from tokwatch.store.reader import Reader

AlertFormat = Literal["csv", "json", "jsonl", "markdown"]
SCHEMA_VERSION: Final = 1
_TEXT_LIMIT: Final = 1000


class AlertEpisode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """None is unknown, or not yet. Times are UTC. Columns in this order."""

    key: str  # the state's name, else the rule's
    of: str  # "state" | "figure" | "budget"
    state: str | None
    severity: str  # the highest that it had
    status: str  # at the end of what is stored: "pending" | "firing" | "resolving" | "resolved"
    host: str
    gpus: str  # indices of all that were in it: "0–3, 6"
    gpu_count: int
    began: str  # when its condition began
    fired: str | None  # None: over before it was due
    cleared: str | None  # when its condition ended
    resolved: str | None  # when it was called over: some time after, lest it flaps
    lasted_s: float  # from `began` until `cleared`, or as far as is stored
    cost_usd: float | None  # of the time that its GPUs were wasted in it, in `currency`; None where nothing is wasted
    cost_in_part: bool  # some of that time has no price or no rows any more, or its electricity is paid for by itself
    currency: str | None
    muted: bool  # at any time of it
    mute_reason: str
    inhibited_by: str  # the alert that said it all
    text: str
    simulated: bool
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a store: every episode."""

    format: AlertFormat = "csv"
    since_ms: int | None = None  # Unix; episodes with a part in the range, which is widened to whole UTC hours
    until_ms: int | None = None
    session: str | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of it."""

    rows: int
    left_out: tuple[str, ...] = ()  # simulated sessions, which were not asked for


def export_alerts(store: Path, asked: Asked, out: IO[bytes]) -> Exported:
    """Write the rows, the earliest first. Raises StoreError where the store cannot be read, ExportError where the
    selection makes no sense."""
    with reading(store) as reader:
        selection = select(
            reader,
            since_ms=asked.since_ms,
            until_ms=asked.until_ms,
            session=asked.session,
            simulated=asked.simulated,
        )
        rows = _rows(store, reader, selection) if selection else []
        rows.sort(key=lambda row: (row.began, row.host, row.key))
        written = write_bytes(rows, AlertEpisode, asked.format, out)
    return Exported(written, selection.left_out if selection else ())


def episodes(events: Iterable[Event]) -> Iterator[tuple[str, list[tuple[int, AlertBody]]]]:
    """(key, [(tick, what was told of it)]) of each time that an alert was raised; events in the order they happened."""
    for key, of_key in groupby(sorted(events, key=attrgetter("key")), attrgetter("key")):
        told: list[tuple[int, AlertBody]] = []
        for event in of_key:
            told.append((event.tick_ms, body(event, AlertBody)))
            if told[-1][1].status == "resolved":
                yield key, told
                told = []
        if told:
            yield key, told


def _rows(store: Path, reader: Reader, selection: Selection) -> list[AlertEpisode]:
    runs, names = reader.runs(), background_of(reader).names
    chosen = [run for run in runs if selection.runs is None or run.id in selection.runs]
    found = []
    for of_line in dict.fromkeys(lineage(runs, run) for run in chosen):
        ids = [run.id for run in of_line if run in chosen]
        first_ms, last_ms = reader.tick_after(ids, 0), reader.last_tick(ids)
        history = History(store, of_line[-1])
        try:
            for key, told in episodes(reader.events(0, last_ms or 0, ["alert"], ids)):
                known = (first_ms or told[-1][0], last_ms or told[-1][0])
                episode = _Episode(key, told, of_line[-1], known)
                if episode.began_ms < selection.to_ms and episode.ended_ms > selection.from_ms:
                    found.append(episode.written(history, names))
        finally:
            history.close()
    return found


class _Episode:
    def __init__(self, key: str, told: Sequence[tuple[int, AlertBody]], run: Run, known: tuple[int, int]) -> None:
        """known: from the first to the last tick that is still stored."""
        self._key, self._bodies, self._run = key, [each for _, each in told], run
        (self._told_ms, last), (self._first_ms, self._last_ms) = told[-1], known
        self._over = last.status == "resolved"
        # One that never fired forgets its GPUs when it is over.
        with_gpus = [each for each in self._bodies if each.members]
        self._whole = with_gpus[-1] if with_gpus else last
        self._cleared_ms = last.cleared_ms if last.cleared_ms is not None else self._told_ms if self._over else None
        self.began_ms = self._bodies[0].since_ms
        self.ended_ms = self._last_ms if self._cleared_ms is None else self._cleared_ms

    def written(self, history: History, names: Names) -> AlertEpisode:
        last, bodies = self._bodies[-1], self._bodies
        gpus = sorted({gpu for each in bodies for gpu in each.gpus} | {gpu for gpu, _ in self._whole.members})
        facts = {gpu: names.gpu(gpu, self.ended_ms) for gpu in gpus}
        price = history.book.at(self.ended_ms)
        cost = self._cost(history, names)
        return AlertEpisode(
            key=clean_label(self._key),
            of=last.of,
            state=state_name(last.state) if last.of == "state" else None,
            severity=max((each.severity for each in bodies), key=SEVERITIES.index),
            status=last.status,
            host=clean_label(self._run.host),
            gpus=indices(known.index for known in facts.values() if known),
            gpu_count=len(gpus),
            began=utc(self.began_ms),
            fired=_utc(next((each.fired_ms for each in bodies if each.fired_ms is not None), None)),
            cleared=_utc(self._cleared_ms),
            resolved=utc(self._told_ms) if self._over else None,
            lasted_s=(self.ended_ms - self.began_ms) / 1000,
            cost_usd=cost.value if cost else None,
            cost_in_part=cost is not None and ("part" in cost.marks or self.began_ms < self._first_ms),
            currency=price.prices.currency if price and cost else None,
            muted=any(each.muted for each in bodies),
            mute_reason=clean_label(next((each.mute_reason for each in reversed(bodies) if each.mute_reason), "")),
            inhibited_by=clean_label(next((each.inhibited_by for each in reversed(bodies) if each.inhibited_by), "")),
            text=clean_label(self._whole.text, _TEXT_LIMIT),
            simulated=self._run.kind == "simulated",
        )

    def _cost(self, history: History, names: Names) -> Figure | None:
        """As `tokwatch alerts` has it; None where nothing is wasted."""
        if self._whole.of != "state" or not State(self._whole.state).wasted:
            return None
        alert = replace(self._whole, status="resolved", cleared_ms=self.ended_ms)
        figures = []
        for (gpu, _), spent in history.in_alert(alert, self._last_ms).items():
            facts = names.gpu(gpu, self.ended_ms)
            if facts and spent:
                figures.append(spent_usd(history.book, PricedGpu(facts.uuid, facts.name, names.host(gpu)), spent))
        return known_total(figures, "")


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc(at_ms)
