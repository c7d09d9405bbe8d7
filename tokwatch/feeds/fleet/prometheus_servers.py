"""What is asked of a Prometheus about servers: PromQL by host, model and engine, from collectors/vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.dialects import AGENT, AGENT_UP, Dialects
from collectors.prometheus.expressions import (
    Ask,
    constant,
    either,
    increment,
    joined,
    label_of,
    matches,
    scaled,
)
from collectors.prometheus.identity import HOST, INSTANCE, HostIdentity
from collectors.prometheus.server_roles import NAMESPACE_LABEL, ROLES
from collectors.vocabularies.vocabulary import AllOf, Role, Series, Vocabulary, parts_of

MODEL: Final = "tw_model"
ENGINE: Final = "tw_engine"
ROLE: Final = "tw_role"  # one of ROLES, or what no role is
_ANY_ROLE: Final = f"(?:[^,]*,)*?({'|'.join(ROLES)})(?:,.*)?"  # the first, of several labels
TOKENS: Final = ("output_tokens", "prompt_tokens", "cached_tokens")
REQUESTS: Final = ("finished", "failed")
_PRESENCE: Final = ("running", "output_tokens", "prompt_tokens", "waiting")

Of = Callable[[str], str]  # a selector → what is asked of each of its series


@dataclass(frozen=True, slots=True)
class ServerQuestions:
    """Figures by host, model and engine, in several answers. What a host's agent tells is asked of no other.

    role_labels: those that tell prefill servers from decode servers; then figures are by role and namespace too.
    """

    dialects: Dialects
    identity: HostIdentity
    window_s: float
    interval_s: float
    role_labels: tuple[str, ...] = ()

    # --- the questions ------------------------------------------------------------------------------------------------

    def running(self) -> Iterator[Ask]:
        return self._gauge("running", "sum")

    def tokens(self) -> Iterator[Ask]:
        for counter in TOKENS:
            yield from self._counter(counter)

    def made(self) -> Iterator[Ask]:
        """Output tokens to be added up: without those of prefill servers, which count one for each request."""
        prefilling = constant("vector(0)", ROLE, ROLES[0])
        for ask in self._counter("output_tokens"):
            yield ask._replace(text=f"({ask.text}) unless on({ROLE}) {prefilling}") if self.role_labels else ask

    def requests(self) -> Iterator[Ask]:
        for counter in REQUESTS:
            yield from self._counter(counter)
        yield from self.running()
        yield from self._gauge("waiting", "sum")
        yield from self._gauge("kv_usage", "max")
        yield from self._servers()

    def presence(self) -> tuple[str, ...]:
        """Names by which a server is seen to be there: one of each vocabulary."""
        return tuple(name for vocabulary in self.dialects.vocabularies for name in self._presence_of(vocabulary))

    # --- how they are built -------------------------------------------------------------------------------------------

    @property
    def _flow(self) -> str:
        """The labels of every answer."""
        return ",".join((HOST, MODEL, ENGINE, *((ROLE, NAMESPACE_LABEL) if self.role_labels else ())))

    def _gauge(self, gauge: str, sums: str) -> Iterator[Ask]:
        return self._flows(gauge, lambda vocabulary: vocabulary.gauges.get(gauge), sums)

    def _counter(self, counter: str) -> Iterator[Ask]:
        return self._flows(counter, lambda vocabulary: vocabulary.counters.get(counter), "sum", self._increment)

    def _flows(
        self, figure: str, role_of: Callable[[Vocabulary], Role | None], sums: str, of: Of = lambda series: series
    ) -> Iterator[Ask]:
        told = {
            vocabulary.engine: text
            for vocabulary in self.dialects.vocabularies
            if (role := role_of(vocabulary)) and (text := self._role(vocabulary, role, sums, of))
        }
        yield from self._agent_first(figure, told)

    def _agent_first(self, figure: str, told: dict[str, str]) -> Iterator[Ask]:
        """One question an engine, so that none grows too long. `told`: what each engine's series tell."""
        of_agent = told.get(AGENT)
        for engine, text in told.items():
            known = f" unless on({HOST}) ({of_agent})" if of_agent and engine != AGENT else ""
            yield Ask(figure, f"({text}){known}" if known else text)

    def _role(self, vocabulary: Vocabulary, role: Role, sums: str, of: Of) -> str | None:
        texts = [
            text
            for candidate in role.candidates
            if (text := self._candidate(vocabulary, candidate, sums, of)) is not None
        ]
        return scaled(either(texts), role.scale) if texts else None

    def _candidate(self, vocabulary: Vocabulary, candidate: Series | AllOf, sums: str, of: Of) -> str | None:
        terms = []
        for series in parts_of(candidate):
            selectors = (
                self.dialects.series(name, *label_matchers(series)) for name in self.dialects.spellings(series.name)
            )
            spelled = [f"{sums} by({self._flow}) ({self._told(vocabulary, of(each))})" for each in selectors]
            if not spelled:
                return None
            terms.append(f"({either(spelled)})" if len(spelled) > 1 else spelled[0])
        return " + ".join(terms)

    def _told(self, vocabulary: Vocabulary, text: str) -> str:
        """Series with the labels of a flow; copies of other ranks, and of another job that asks the page, are gone."""
        return self._named(vocabulary, f"max without({','.join(('job', *vocabulary.copies))}) ({text})")

    def _named(self, vocabulary: Vocabulary, text: str) -> str:
        text = named(vocabulary, self.identity.hosted(text))
        if not self.role_labels:
            return text
        # Last: in VictoriaMetrics 1.79 a label that was not made, for nothing matched, takes on what the next one gets.
        return label_of(joined(text, ROLE, ",", self.role_labels), ROLE, ROLE, _ANY_ROLE)

    def _servers(self) -> Iterator[Ask]:
        """Servers that answer."""
        told = {}
        for vocabulary in self.dialects.vocabularies:
            if vocabulary.engine == AGENT and AGENT_UP in self.dialects.names:
                told[AGENT] = f"sum by({self._flow}) ({self._told(vocabulary, self.dialects.series(AGENT_UP))})"
            elif names := self._presence_of(vocabulary):
                series = self._named(vocabulary, self.dialects.series(names))
                each = f"count by({self._flow},{INSTANCE}) ({series})"
                told[vocabulary.engine] = f"count by({self._flow}) ({each})"
        yield from self._agent_first("servers", told)

    def _presence_of(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        for place in _PRESENCE:
            role = vocabulary.gauges.get(place) or vocabulary.counters.get(place)
            for candidate in role.candidates if role else ():
                if names := self.dialects.spellings(parts_of(candidate)[0].name):
                    return names
        return ()

    def _increment(self, series: str) -> str:
        return increment(series, self.window_s, self.interval_s)


def named(vocabulary: Vocabulary, text: str) -> str:
    """Series with the labels MODEL and ENGINE."""
    for label in reversed(model_labels(vocabulary)):
        text = label_of(text, MODEL, label)
    return label_of(text, ENGINE, "engine") if vocabulary.engine == AGENT else constant(text, ENGINE, vocabulary.engine)


def model_labels(vocabulary: Vocabulary) -> tuple[str, ...]:
    """What a target may be labelled with, where the engine's page names no model."""
    return vocabulary.model_labels or ("model_name", "model")


def label_matchers(series: Series) -> tuple[str, ...]:
    """Of the samples that play the role."""
    return (matches(series.label, series.values, others=series.others),) if series.label else ()
