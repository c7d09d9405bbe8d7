"""Alerts of a Snapshot: names and money put to what is stored of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tokwatch.ledger.alerts import SEVERITIES, AlertBody
from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import known_total, unknown
from tokwatch.ledger.gpu_rows import cost_per_day, state_name
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.ledger.view import Spent

AT_WORK = "its GPUs are at work"
_STANDING = ("firing", "resolving")


def alert_rows(moment: Moment, statuses: Collection[str] = _STANDING) -> tuple[AlertRow, ...]:
    """The most severe first, then the oldest."""
    bodies = [(key, body) for key, body in alert_bodies(moment).items() if body.status in statuses]
    bodies.sort(key=lambda pair: (-SEVERITIES.index(pair[1].severity), pair[1].since_ms, pair[0]))
    return tuple(alert_row(moment, key, body) for key, body in bodies)


def alert_bodies(moment: Moment) -> dict[str, AlertBody]:
    """What is in force of every alert that there ever was, by key."""
    return {
        key: body
        for (kind, _, key), body in moment.view.in_force.items()
        if kind == "alert" and isinstance(body, AlertBody)
    }


def alert_row(moment: Moment, key: str, alert: AlertBody, spent: Mapping[int, Spent] | None = None) -> AlertRow:
    """One alert, whatever its status. spent: each GPU's time in it, where it is not the last alert of its key."""
    listed = {entry.entity: facts for facts, entry in moment.gpus if entry.entity in alert.gpus}
    over = alert.status == "resolved"  # what its GPUs do now is no part of it
    inside = [] if over else [gpu for gpu in listed if moment.state(gpu).state == alert.state]
    usd_per_hour, usd_so_far = unknown(AT_WORK), unknown(AT_WORK)
    if alert.of == "state" and State(alert.state).wasted:
        usd_per_hour = known_total([moment.rate_usd_per_hour(gpu) for gpu in inside], "over")
        usd_so_far = _so_far(moment, booked(moment, key, alert) if spent is None else spent)
    servers = {server for gpu in listed for server in moment.placement(gpu).servers}
    models = {body.model for server in servers if (body := moment.server(server)) and body.model}
    return AlertRow(
        key=key,
        state=state_name(alert.state) if alert.of == "state" else "",
        severity=alert.severity,
        status=alert.status,
        since_ms=alert.since_ms,
        fired_ms=alert.fired_ms,
        gpus=tuple(facts.index for facts in listed.values()),
        text=_text(moment, alert, inside),
        usd_so_far=usd_so_far,
        usd_per_day=cost_per_day(usd_per_hour),
        usd_per_hour=usd_per_hour,
        cleared_ms=alert.cleared_ms,
        models=tuple(sorted(models)),
        stale_since_ms=alert.stale_since_ms,
        muted=alert.muted,
        muted_gpus=tuple(facts.index for gpu, facts in listed.items() if gpu in alert.muted_gpus),
        muted_until_ms=alert.muted_until_ms,
        mute_reason=alert.mute_reason,
        inhibited_by=alert.inhibited_by,
    )


def _text(moment: Moment, alert: AlertBody, gpus: list[int]) -> str:
    notes = dict.fromkeys(moment.state(gpu).note for gpu in gpus if alert.of == "state")
    return "; ".join(note for note in notes if note) or alert.text


def booked(moment: Moment, key: str, alert: AlertBody) -> Mapping[int, Spent]:
    """What the View booked of the alert in force."""
    if alert.members:
        return {gpu: moment.view.in_alert.of(key, gpu) for gpu, _ in alert.members}
    return {gpu: moment.view.in_state.get(gpu, {}) for gpu in alert.gpus}  # stored before members were: those in it now


def _so_far(moment: Moment, spent: Mapping[int, Spent]) -> Figure:
    """Of all GPUs that were in it, watched time only."""
    facts = {entry.entity: facts for facts, entry in moment.gpus}
    return known_total([moment.spent_usd(facts[gpu], times) for gpu, times in spent.items() if gpu in facts], "over")
