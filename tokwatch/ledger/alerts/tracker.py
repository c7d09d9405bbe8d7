"""Steps every alert once a tick, and says what changed as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

import msgspec

from tokwatch.ledger.alerts.body import AlertBody
from tokwatch.ledger.alerts.budget import Spending, see_budget
from tokwatch.ledger.alerts.conditions import Figures
from tokwatch.ledger.alerts.figure_rules import see_figure
from tokwatch.ledger.alerts.inhibition import inhibitor
from tokwatch.ledger.alerts.lifecycle import Seen, advance
from tokwatch.ledger.alerts.mutes import Mute, Subject, covering
from tokwatch.ledger.alerts.rules import AlertPolicy, StateRule
from tokwatch.ledger.alerts.severity import by_cost, cost_share
from tokwatch.ledger.alerts.states import see_state
from tokwatch.ledger.entries import Event
from tokwatch.ledger.states import StateBody

BUDGET = "budget"  # key of its alert


@dataclass(frozen=True, slots=True)
class Watched:
    """What there is to judge by at one tick."""

    states: Mapping[int, StateBody] = field(default_factory=dict)  # of the GPUs that were heard of lately
    subjects: Mapping[int, Subject] = field(default_factory=dict)  # of every GPU that was ever heard of
    usd_per_hour: Mapping[int, float | None] = field(default_factory=dict)  # of the GPUs that are here
    figures: Figures | None = None  # None: no Snapshot was taken yet
    spending: Spending | None = None


class AlertTracker:
    """All alerts of one host. `mutes` may be set at any time."""

    def __init__(self, policy: AlertPolicy | None = None, *, host: str = "", zone: tzinfo = UTC) -> None:
        self.mutes: tuple[Mute, ...] = ()
        self._policy = policy or AlertPolicy()
        self._host = host
        self._zone = zone
        self._scopes = {rule.name: rule.condition.figure for rule in self._policy.figures}
        self._alerts: dict[str, AlertBody] = {}

    def resume(self, key: str, body: AlertBody) -> None:
        """Go on from an earlier run's alert."""
        self._alerts[key] = body

    def step(self, now_ms: int, watched: Watched) -> tuple[Event, ...]:
        """One tick."""
        events = []
        for key, seen in self._seen(now_ms, watched):
            before = self._alerts.get(key)
            after = advance(before, seen, now_ms, self._policy.keep_firing_s)
            if after is None or (after is before and after.status == "resolved"):
                continue
            after = self._marked(key, after, now_ms, watched)
            if after != before:
                self._alerts[key] = after
                events.append(Event(now_ms, 0, "alert", key, msgspec.json.encode(after)))
        return tuple(events)

    def _seen(self, now_ms: int, watched: Watched) -> Iterator[tuple[str, Seen]]:
        """Every rule's key and what it sees. An alert whose rule was taken out of the config has ended."""
        policy, ruled = self._policy, set()
        for rule in policy.states:
            seen = see_state(rule, self._alerts.get(rule.key), now_ms, watched.states)
            yield rule.key, self._by_cost(rule, seen, now_ms, watched)
            ruled.add(rule.key)
        for of_figure in policy.figures:
            yield of_figure.name, see_figure(of_figure, self._alerts.get(of_figure.name), now_ms, watched.figures)
            ruled.add(of_figure.name)
        if policy.usd_per_month is not None:
            before = self._alerts.get(BUDGET)
            yield BUDGET, see_budget(policy.usd_per_month, before, watched.spending, now_ms, self._zone)
            ruled.add(BUDGET)
        yield from ((key, Seen(False)) for key in [key for key in self._alerts if key not in ruled])

    def _by_cost(self, rule: StateRule, seen: Seen, now_ms: int, watched: Watched) -> Seen:
        """Idle GPUs are the more severe the dearer they are; those that are muted do not count beside others."""
        if not seen.holds or not rule.state.idle:
            return seen
        muted = self._muted(rule.key, seen.gpus, now_ms, watched)
        share = cost_share([gpu for gpu in seen.gpus if gpu not in muted] or seen.gpus, watched.usd_per_hour)
        return replace(seen, severity=by_cost(seen.severity, share, self._policy.shares))

    def _marked(self, key: str, alert: AlertBody, now_ms: int, watched: Watched) -> AlertBody:
        """With the mutes and faults that it stands under now."""
        if alert.of == "state":
            gpus: tuple[int, ...] = alert.gpus
            muted = self._muted(key, gpus, now_ms, watched)
            wholly = bool(gpus) and len(muted) == len(gpus)
        else:
            gpus, subject = self._of_figure(key, watched)
            mute = covering(self.mutes, key, subject, now_ms)
            muted, wholly = {} if mute is None else {0: mute}, mute is not None
        first = min(muted.values(), key=lambda mute: mute.until_ms) if wholly else None
        return msgspec.structs.replace(
            alert,
            muted=wholly,
            muted_gpus=tuple(gpu for gpu in alert.gpus if gpu in muted),
            muted_until_ms=first.until_ms if first else None,
            mute_reason=first.reason if first else "",
            inhibited_by=inhibitor(alert, gpus, watched.states),
        )

    def _muted(self, key: str, gpus: tuple[int, ...], now_ms: int, watched: Watched) -> dict[int, Mute]:
        nobody = Subject(self._host)
        found = ((gpu, covering(self.mutes, key, watched.subjects.get(gpu, nobody), now_ms)) for gpu in gpus)
        return {gpu: mute for gpu, mute in found if mute is not None}

    def _of_figure(self, key: str, watched: Watched) -> tuple[tuple[int, ...], Subject]:
        """The GPUs that a rule's figure is of, and what a mute matches."""
        figure = self._scopes.get(key)
        if figure is not None and figure.scope == "gpu":
            found = [(gpu, subject) for gpu, subject in watched.subjects.items() if str(subject.gpu) == figure.of]
            return tuple(gpu for gpu, _ in found), found[0][1] if found else Subject(self._host)
        models = (figure.of,) if figure is not None and figure.scope == "model" else ()
        return (), Subject(self._host, models=models)
