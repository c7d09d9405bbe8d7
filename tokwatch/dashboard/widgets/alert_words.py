"""Alert words: an alert, or a mute, told in full, as (label, text, role), and in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.alert_entries import Fault, gpus_of
from tokwatch.dashboard.widgets.server_words import Fact
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.alerts.rules import STATE_RULES, StateRule
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.snapshot import AlertRow, Snapshot

_DAY_MS: Final = 86_400_000


def when(at_ms: int, snapshot: Snapshot) -> str:
    """The time of the day where that can be one moment only, else the day: 13:52, "3 May"."""
    if abs(snapshot.tick_ms - at_ms) < _DAY_MS:
        return formats.hour_minute(at_ms, snapshot.utc_offset_s)
    return _day(at_ms, snapshot)


def exactly(at_ms: int, snapshot: Snapshot) -> str:
    """With its day where that is another one: 13:52:07, "3 May 13:52:07"."""
    clock, day = formats.clock(at_ms, snapshot.utc_offset_s), _day(at_ms, snapshot)
    return clock if day == _day(snapshot.tick_ms, snapshot) else f"{day} {clock}"


def _day(at_ms: int, snapshot: Snapshot) -> str:
    moment = formats.local(at_ms, snapshot.utc_offset_s)
    return f"{moment.day} {moment:%b}"


def name_of(alert: AlertRow) -> str:
    """The word of its state, else the name of its rule."""
    return glyphs.look_of_state(alert.state).word if alert.state else alert.key


def say_of(alert: AlertRow, snapshot: Snapshot) -> str:
    """What an alert says, after why it says it to nobody and whether it still holds."""
    before = []
    if alert.muted:
        until = f" until {when(alert.muted_until_ms, snapshot)}" if alert.muted_until_ms is not None else ""
        before.append(f"muted{until} ({alert.mute_reason})")
    elif alert.muted_gpus:
        before.append(f"{formats.devices(alert.muted_gpus, snapshot.device)} muted")
    if alert.inhibited_by:
        before.append(f"inhibited by {alert.inhibited_by}")
    if alert.stale_since_ms is not None:
        before.append(f"stale since {when(alert.stale_since_ms, snapshot)}")
    if alert.status in ("resolving", "resolved") and alert.cleared_ms is not None:
        before.append(f"ended {when(alert.cleared_ms, snapshot)}")
    return "; ".join((*before, alert.text))


def mute_name(mute: Mute) -> str:
    """The word of the state that it is of, else the name of the rule."""
    return glyphs.look_of_state(mute.state.replace("_", " ")).word if mute.state else "every alert"


def mute_subject(mute: Mute, snapshot: Snapshot) -> str:
    """What a mute is of beside the alert: a GPU by its index where that is known, a host, a model."""
    rows = [row for row in snapshot.gpus if mute.gpu in (row.uuid, str(row.index))] if mute.gpu else []
    gpu = formats.devices((rows[0].index,), snapshot.device) if rows else mute.gpu and f"gpu {mute.gpu}"
    return ", ".join(filter(None, (gpu, mute.host, mute.model))) or "everywhere"


def told_in_full(entry: AlertRow | Fault | Mute | str, snapshot: Snapshot) -> tuple[str, list[Fact]]:
    """A heading, and everything that is known."""
    match entry:
        case AlertRow():
            return name_of(entry), list(_of_alert(entry, snapshot))
        case Mute():
            return f"mute {entry.id}", list(_of_mute(entry, snapshot))
        case Fault():
            at_ms = entry.warning.at_ms
            since = [("at", exactly(at_ms, snapshot), "text")] if at_ms is not None else []
            return "fault", [*since, ("on", gpus_of(entry, snapshot), "text"), ("says", entry.warning.text, "text")]
        case str():
            return "tokwatch", [("says", entry, "text")]


def _of_alert(alert: AlertRow, snapshot: Snapshot) -> Iterator[Fact]:
    yield "status", f"{alert.status}, {alert.severity}", "text"
    yield "began", exactly(alert.since_ms, snapshot), "text"
    if alert.fired_ms is not None:
        yield "fired", exactly(alert.fired_ms, snapshot), "text"
    if alert.cleared_ms is not None:
        yield "ended", exactly(alert.cleared_ms, snapshot), "text"
    if alert.gpus:
        models = f"  {', '.join(alert.models)}" if alert.models else ""
        yield "on", gpus_of(alert, snapshot) + models, "text"
    yield "says", alert.text, "text"
    yield "wastes", _wasted(alert, formats.currency_sign(snapshot.currency)), "text"
    if alert.muted:
        until = "" if alert.muted_until_ms is None else f"until {exactly(alert.muted_until_ms, snapshot)}: "
        yield "muted", f"{until}{alert.mute_reason}", "text"
    elif alert.muted_gpus:
        yield "muted", f"on {formats.devices(alert.muted_gpus, snapshot.device)} alone", "text"
    if alert.inhibited_by:
        yield "inhibited", f"by {alert.inhibited_by}: a fault on the same GPUs says it all", "text"
    if alert.stale_since_ms is not None:
        words = f"since {exactly(alert.stale_since_ms, snapshot)} nobody can tell whether it still holds"
        yield "stale", words, "text"
    rule = next((rule for rule in STATE_RULES if rule.key == alert.key), None)
    yield "rule", alert.key if rule is None else rule_words(rule), "quiet"


def _of_mute(mute: Mute, snapshot: Snapshot) -> Iterator[Fact]:
    yield "of", f"{mute_name(mute)}, {mute_subject(mute, snapshot)}", "text"
    yield "reason", mute.reason, "text"
    yield "until", exactly(mute.until_ms, snapshot), "text"
    yield "made", f"{exactly(mute.made_ms, snapshot)}{f' by {mute.by}' if mute.by else ''}", "quiet"


def _wasted(alert: AlertRow, sign: str) -> str:
    def money(figure: Figure) -> str:
        return formats.figure(figure, lambda value: formats.money(value, sign))

    if alert.usd_so_far.value is None:
        return f"{glyphs.ABSENT} {alert.usd_so_far.why}"
    so_far = f"{money(alert.usd_so_far)} so far"
    if alert.usd_per_hour.value is None:
        return so_far
    return f"{money(alert.usd_per_hour)}/h, {money(alert.usd_per_day)}/day, {so_far}"


def rule_words(rule: StateRule) -> str:
    """When a rule on a state fires."""
    later = "" if rule.warn_after_s is None else f", warning from {rule_time(rule.warn_after_s)}"
    return f"{rule.text}: {rule.severity} after {rule_time(rule.fire_after_s)}{later}"


def rule_time(length_s: float) -> str:
    """In seconds where it is no whole number of minutes."""
    return formats.duration(length_s) if length_s % 60 == 0 else f"{length_s:g}s"
