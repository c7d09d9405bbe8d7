"""What a rule on a state sees: which GPUs are in it, which of them are due, of which nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tokwatch.ledger.alerts.body import SEVERITIES, AlertBody, Severity
from tokwatch.ledger.alerts.lifecycle import Seen
from tokwatch.ledger.alerts.rules import SeverityShares, StateRule
from tokwatch.ledger.states import StateBody


def see_state(
    rule: StateRule,
    before: AlertBody | None,
    now_ms: int,
    states: Mapping[int, StateBody],
    severity_of: SeverityOf,
) -> Seen:
    """`states` are those of all GPUs that were heard of lately; one that is missing is neither in the state nor out.

    A GPU that comes back to an alert that stands needs not wait again.
    """
    past = before if before is not None and before.status != "resolved" else None
    members = dict(past.members) if past is not None and past.stands else {}
    inside = _longest_first({entity: body for entity, body in states.items() if body.state == rule.state})
    due = [
        entity
        for entity in inside
        if entity in members
        or (states[entity].confirmed and now_ms - states[entity].since_ms >= rule.fire_after_s * 1000)
    ]
    holding = due or ([] if members else inside)
    unseen = [entity for entity in (past.gpus if past else ()) if entity not in inside and _untold(rule, entity, states)]
    if not holding:
        return Seen(None if unseen else False)
    before_ms = dict(past.members) if past else {}
    members |= {entity: states[entity].since_ms for entity in holding if entity not in members}
    members |= {entity: before_ms[entity] for entity in unseen if entity in before_ms and entity not in members}
    since_ms = past.since_ms if past is not None and past.stands else min(states[e].since_ms for e in holding)
    gpus = (*holding, *unseen)
    return Seen(
        True,
        bool(due),
        since_ms,
        severity_of(rule, now_ms - since_ms, gpus),
        rule.text,
        gpus,
        tuple(sorted(members.items())),
        partly_unseen=bool(unseen),
    )
