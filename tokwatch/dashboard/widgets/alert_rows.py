"""Alert rows: what the list of alerts is made of, in sections, from a Snapshot and what the past adds to it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tokwatch.dashboard.widgets.alert_entries import Entry, Fault, entries
from tokwatch.feeds.questions.alert_past import AlertsAround
from tokwatch.ledger.alerts.mutes import Mute, Subject
from tokwatch.ledger.alerts.rules import STATE_RULES, StateRule
from tokwatch.ledger.snapshot import AlertRow, Snapshot


@dataclass(frozen=True, slots=True)
class Section:
    """A line above the rows that have something in common."""

    name: str
    about: str = ""


Row = Section | Entry | Mute | StateRule | None  # None: a blank line


def rows_of(snapshot: Snapshot, around: AlertsAround) -> tuple[Row, ...]:
    """What wants attention, then what waits, ends, is over, and is muted; with nothing of it, which rules watch."""
    wanting = [entry for entry in entries(snapshot) if not _resolving(entry)]
    resolving = [alert for alert in snapshot.alerts if _resolving(alert)]
    sections = [
        _section("now", wanting),
        _section("pending", around.pending, "not yet for as long as their rules want"),
        _section("resolving", resolving, "ended moments ago; the same alerts if they come back"),
        _section("over", around.over, _over_about(around)),
        _section("muted", around.mutes, "goes on and costs as much, and nobody is told"),
    ]
    if not wanting and not around.pending and not resolving:
        quiet = Section("nothing wants attention", "")
        watching: list[Row] = [Section("watching", "and what [[alerts]] and [budget] of the config say"), *STATE_RULES]
        sections = [[quiet], *sections, watching]
    rows: list[Row] = []
    for section in filter(None, sections):
        rows += [*([None] if rows else []), *section]
    return tuple(rows)


def subject_of(row: Row) -> Hashable | None:
    """What the cursor holds on to; None where it cannot stand."""
    match row:
        case AlertRow():
            return ("alert", row.key, row.cleared_ms if row.status == "resolved" else None)
        case Fault():
            return ("fault", row.warning.text, row.warning.at_ms)
        case Mute():
            return ("mute", row.id)
        case str():
            return ("problem", row)
        case _:
            return None


def covering_ids(alert: AlertRow, snapshot: Snapshot, mutes: tuple[Mute, ...]) -> tuple[int, ...]:
    """The mutes in force under which an alert, or a part of it, stands."""
    models = {server.entity: server.model for server in snapshot.servers}
    subjects = [
        Subject(snapshot.host, row.index, row.uuid, tuple(models[s] for s in row.servers if s in models))
        for row in snapshot.gpus
        if row.index in alert.gpus
    ] or [Subject(snapshot.host)]
    return tuple(mute.id for mute in mutes if any(mute.covers(alert.key, subject) for subject in subjects))


def _section(name: str, rows: Sequence[Row], about: str = "") -> list[Row]:
    return [Section(f"{name} {len(rows)}", about), *rows] if rows else []


def _resolving(entry: Entry) -> bool:
    return isinstance(entry, AlertRow) and entry.status == "resolving"


def _over_about(around: AlertsAround) -> str:
    more = f", and {around.over_before} before them" if around.over_before else ""
    return f"in the last 24 h{more}"
