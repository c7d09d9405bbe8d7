"""What a rule on a state sees: which GPUs are in it, whether one of them is due, of which nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping

from tokwatch.ledger.alerts.body import AlertBody
from tokwatch.ledger.alerts.lifecycle import Seen
from tokwatch.ledger.alerts.rules import StateRule
from tokwatch.ledger.states import StateBody


def see_state(rule: StateRule, before: AlertBody | None, now_ms: int, states: Mapping[int, StateBody]) -> Seen:
    """`states` are those of all GPUs that were heard of lately: one that is missing is neither in the state nor out.

    Before the alert stands its GPUs wait for the rule's time. One that comes back while it stands does not wait again.
    """
    last = before if before is not None and before.status != "resolved" else None
    stands = last is not None and last.stands
    known = dict(last.members) if last is not None else {}
    inside = _longest_first({entity: body for entity, body in states.items() if body.state == rule.state})
    due = [e for e in inside if (stands and e in known) or _due(rule, states[e], now_ms)]
    holding = due if due or stands else inside
    unseen = [e for e in (last.gpus if last else ()) if e not in inside and _untold(rule, states.get(e))]
    if not holding:
        return Seen(None if unseen else False)
    kept = known if stands else {entity: known[entity] for entity in unseen if entity in known}
    members = {entity: states[entity].since_ms for entity in holding} | kept
    since_ms = last.since_ms if last is not None and stands else states[holding[0]].since_ms
    escalated = rule.warn_after_s is not None and now_ms - since_ms >= rule.warn_after_s * 1000
    return Seen(
        True,
        due=bool(due),
        since_ms=since_ms,
        severity="warning" if escalated else rule.severity,
        text=rule.text,
        gpus=(*holding, *unseen),
        members=tuple(sorted(members.items())),
        partly_unseen=bool(unseen),
        state=rule.state,
    )


def _due(rule: StateRule, body: StateBody, now_ms: int) -> bool:
    return body.confirmed and now_ms - body.since_ms >= rule.fire_after_s * 1000


def _untold(rule: StateRule, body: StateBody | None) -> bool:
    return body is None or body.state in rule.untold_in


def _longest_first(in_state: Mapping[int, StateBody]) -> list[int]:
    return sorted(in_state, key=lambda entity: (in_state[entity].since_ms, entity))
