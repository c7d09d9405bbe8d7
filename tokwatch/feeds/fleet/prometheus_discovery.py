"""What a Prometheus has: names, host labels, jobs and scrape intervals, as the questions that can be asked of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from collectors.prometheus.dialects import dialects, names_matcher
from collectors.prometheus.identity import INSTANCE, HostIdentity
from collectors.prometheus.server_roles import ROLE_LABELS, ROLES
from tokwatch.feeds.fleet.prometheus_asking import Asking
from tokwatch.feeds.fleet.prometheus_gpus import REMEMBERED_S
from tokwatch.feeds.fleet.prometheus_hosts import JOB, HostQuestions
from tokwatch.feeds.fleet.prometheus_queries import Questions

USUAL_INTERVAL_S: Final = 60.0  # Prometheus' own default
LEAST_WINDOW_S: Final = 60.0
SCRAPES_PER_WINDOW: Final = 4
_AROUND_S: Final = 1800.0  # of a moment of the past: what there was up to so long before and after
_SEEN_OVER_S: Final = 300
_JOBS_ASKED: Final = 3  # for their intervals: the answer may be a long configuration each time


@dataclass(frozen=True, slots=True)
class Found:
    """The questions, and how often there is news."""

    questions: Questions
    interval_s: float  # of the job that is scraped most often
    interval_told: bool  # else it is a guess

    @property
    def anything(self) -> bool:
        return bool(self.questions.hosts.names)


async def discover(asking: Asking, identity: HostIdentity, within: str, at_s: float | None) -> Found:
    """Now, or around an instant of the past. Raises QueryError."""
    start_s, end_s = (None, None) if at_s is None else (at_s - _AROUND_S, at_s + _AROUND_S)
    names = await asking.label_values("__name__", [names_matcher(within)], start_s, end_s)
    spoken = dialects(names, within)
    seen = Questions(spoken, identity, (), LEAST_WINDOW_S, USUAL_INTERVAL_S).hosts.names
    if not seen:
        return Found(Questions(spoken, identity, (), LEAST_WINDOW_S, USUAL_INTERVAL_S), USUAL_INTERVAL_S, False)
    asked = tuple(dict.fromkeys((JOB, *(label for label in identity.labels if label != INSTANCE), *ROLE_LABELS)))
    told = await asyncio.gather(*(asking.label_values(label, [spoken.series(seen)], start_s, end_s) for label in asked))
    values = dict(zip(asked, told, strict=True))
    jobs, present = values[JOB], {label for label in asked if values[label]}
    intervals = await asyncio.gather(*(asking.api.scrape_interval_s(job) for job in jobs[:_JOBS_ASKED]))
    known = [interval for interval in intervals if interval] or await _seen_s(asking, spoken.series(seen), at_s)
    slowest_s = max(known, default=USUAL_INTERVAL_S)
    window_s = max(LEAST_WINDOW_S, SCRAPES_PER_WINDOW * slowest_s)
    role_labels = tuple(label for label in ROLE_LABELS if not set(ROLES).isdisjoint(values[label]))
    questions = Questions(spoken, identity.among(present), jobs, window_s, slowest_s, role_labels)
    if await _repeat(asking, questions.hosts, at_s):
        questions = replace(questions, identity=replace(questions.identity, apart=True))
    return Found(questions, min(known, default=USUAL_INTERVAL_S), bool(known))


async def _repeat(asking: Asking, hosts: HostQuestions, at_s: float | None) -> bool:
    """Whether hosts of one name stand in several places. Raises QueryError: to take them for one would be a guess."""
    if at_s is None:
        query, until_s = hosts.repeated(REMEMBERED_S), None
    else:
        query, until_s = hosts.repeated(2 * _AROUND_S), at_s + _AROUND_S
    return bool(query) and bool((await asking.instant(query, until_s)).values)


async def _seen_s(asking: Asking, series: str, at_s: float | None) -> list[float]:
    """The interval by how many samples there are: where no configuration tells it, or none of today's is of then."""
    answer = await asking.instant(f"max(count_over_time({series}[{_SEEN_OVER_S}s]))", at_s)
    return [float(round(_SEEN_OVER_S / count)) for count in answer.values if count >= 2]
