"""Whose the series of one vocabulary are: which labels an answer must keep for that, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from collectors.labels import clean_label
from collectors.prometheus.dialects import AGENT
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.server_roles import NAMESPACE_LABEL, ROLE_LABELS, role_of
from collectors.readings import UNNAMED, UNTAGGED
from collectors.vocabularies.vocabulary import Vocabulary
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Labels
from tokwatch.feeds.prometheus_quarters.remembered import Remembered
from tokwatch.feeds.prometheus_quarters.things import (
    POD_LABELS,
    Flow,
    Half,
    Pod,
    Server,
    host_of,
    names_its_host,
    pod_of,
)

_TARGET: Final = ("instance", "job", *POD_LABELS, *ROLE_LABELS, NAMESPACE_LABEL)
_AGENTS_SERVER: Final = ("server", "engine")  # labels of a server that an agent tells of


class Ranked(NamedTuple):
    """A flow, by one of several ranks that may tell copies of one number."""

    flow: Flow
    rank: tuple[int, ...]


@dataclass(frozen=True)
class ServerLabels:
    """`pods` and `halves` fill as labels are read: the pod that each server runs in, and which half of a pair it is."""

    identity: HostIdentity
    vocabulary: Vocabulary
    hosts_of_pods: Mapping[Pod, str]
    pods: dict[Server, Pod] = field(default_factory=dict)
    halves: dict[Server, Half] = field(default_factory=dict)

    @property
    def server_group(self) -> str:
        return promql.by(*self._of_server)

    @property
    def flow_group(self) -> str:
        return promql.by(*self._of_flow)

    @property
    def bucket_group(self) -> str:
        return promql.by(*self._of_flow, "le")

    @cached_property
    def server(self) -> Remembered[Server]:
        return Remembered(self._server)

    @cached_property
    def ranked(self) -> Remembered[Ranked]:
        return Remembered(self._ranked)

    @cached_property
    def bucket(self) -> Remembered[tuple[Ranked, float] | None]:
        """With its upper edge; None where that is no number."""
        return Remembered(self._bucket)

    def _server(self, labels: Labels) -> Server:
        """Where its own labels do not name the host, that of the GPUs that its pod has."""
        host = host_of(labels, self.identity)
        pod = pod_of(labels)
        if pod is not None and not names_its_host(labels, self.identity):
            host = self.hosts_of_pods.get(pod, host)
        by_agent = self.vocabulary.engine == AGENT
        address = labels.get("server" if by_agent else "instance", "")
        engine = labels.get("engine", "") if by_agent else self.vocabulary.engine
        server = Server(host, clean_label(address), clean_label(engine))
        if pod is not None and not by_agent:
            self.pods[server] = pod
        self.halves[server] = Half(role_of(labels), clean_label(labels.get(NAMESPACE_LABEL, "")), self._place(labels))
        return server

    def _place(self, labels: Labels) -> str:
        told = (
            next((labels[label] for label in names if labels.get(label)), "")
            for names in (self.identity.region, self.identity.cluster)
        )
        return "/".join(clean_label(each) for each in told)

    def _ranked(self, labels: Labels) -> Ranked:
        vocabulary = self.vocabulary
        flow = Flow(
            self.server(labels),
            self._first(labels, vocabulary.model_labels) or UNNAMED,
            self._first(labels, vocabulary.tenant_labels) or UNTAGGED,
            self._first(labels, vocabulary.tier_labels),
        )
        ranks = (labels.get(label, "") for label in vocabulary.copies)
        return Ranked(flow, tuple(int(rank) if rank.isascii() and rank.isdigit() else 0 for rank in ranks))

    def _bucket(self, labels: Labels) -> tuple[Ranked, float] | None:
        try:
            return self.ranked(labels), float(labels.get("le", ""))
        except ValueError:
            return None

    @property
    def _of_server(self) -> tuple[str, ...]:
        agents = _AGENTS_SERVER if self.vocabulary.engine == AGENT else ()
        return tuple(dict.fromkeys((*self.identity.labels, *_TARGET, *agents)))

    @property
    def _of_flow(self) -> tuple[str, ...]:
        vocabulary = self.vocabulary
        flow = (*vocabulary.model_labels, *vocabulary.tenant_labels, *vocabulary.tier_labels, *vocabulary.copies)
        return tuple(dict.fromkeys((*self._of_server, *flow)))

    def _first(self, labels: Labels, names: Sequence[str]) -> str:
        empty = self.vocabulary.empty_labels
        return next((clean_label(labels[name]) for name in names if labels.get(name, "") not in empty), "")
