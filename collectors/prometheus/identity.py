"""Whose a series is: one label for the host, made on the server's side of the labels that say it. Pure text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from collectors.prometheus.expressions import joined, label_of

HOST: Final = "tw_host"
REGION: Final = "tw_region"
CLUSTER: Final = "tw_cluster"

# What a list of `tokwatch targets` and the shipped scrape configuration say first: it is the same for every page of a
# host. Then dcgm-exporter's own (the later spelling is of 2026), and what relabelling in Kubernetes usually leaves.
NODE_LABELS: Final = ("host", "Hostname", "hostname", "node", "nodename", "kubernetes_node")
INSTANCE: Final = "instance"
_WITHOUT_PORT: Final = "(.+?)(?::[0-9]+)?"
_BETWEEN: Final = "␟"  # name, region and cluster, where HOST tells all of them; no name has it


class HostPlace(NamedTuple):
    """A host, and where it stands; "" where that is not told."""

    host: str
    region: str = ""
    cluster: str = ""


def host_place(label: str) -> HostPlace:
    """What a value of HOST says: the name alone, or with its place."""
    parts = label.rsplit(_BETWEEN, 2)
    return HostPlace(*parts) if len(parts) == 3 else HostPlace(label)


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """Which labels name a series' host, region and cluster; the first one that it has counts.

    apart: hosts of one name stand in several places, so that HOST tells both (see `host_place`). Not so elsewhere: a
    host is one also where some of its pages tell the place and some do not.
    """

    host: tuple[str, ...] = (*NODE_LABELS, INSTANCE)
    region: tuple[str, ...] = ("region",)
    cluster: tuple[str, ...] = ("cluster",)
    apart: bool = False

    @classmethod
    def of(cls, *, host_label: str = "", region_label: str = "", cluster_label: str = "") -> HostIdentity:
        """As configured; "" leaves the usual labels. The configured one stands before them. Raises ValueError."""
        for label in (host_label, region_label, cluster_label):
            if label and not (label.isascii() and label.isidentifier()):
                raise ValueError(f'"{label}" is no label: a label is letters, digits and _')
        usual = cls()
        return cls(
            host=tuple(dict.fromkeys((host_label, *usual.host))) if host_label else usual.host,
            region=(region_label,) if region_label else usual.region,
            cluster=(cluster_label,) if cluster_label else usual.cluster,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that is looked at."""
        return tuple(dict.fromkeys((*self.host, *self.region, *self.cluster)))

    @property
    def of_one_host(self) -> tuple[str, ...]:
        """Labels in which series of one host agree."""
        return self.labels if self.apart else self.host

    def among(self, present: Collection[str]) -> HostIdentity:
        """Without the labels that no series has: each costs the server a pass over all of them."""

        def kept(labels: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(label for label in labels if label in present or label == INSTANCE)

        return replace(self, host=kept(self.host), region=kept(self.region), cluster=kept(self.cluster))

    def added_up(self, sums: str, text: str, *labels: str) -> str:
        """`text` by HOST and `labels`. sums: "sum", "count", "max" or "min".

        First by the labels as they are: a Prometheus takes 15 µs to make a label, and hosts are fewer than series.
        """
        kept = "".join(f",{label}" for label in labels)
        by_target = f"{sums} by({','.join(self.of_one_host)}{kept}) ({text})"
        return f"{'sum' if sums == 'count' else sums} by({HOST}{kept}) ({self.hosted(by_target)})"

    def counted(self, text: str, label: str) -> str:
        """How many series of each host have a value, by the value, which stands in `label`."""
        by_target = f'count_values by({",".join(self.of_one_host)}) ("{label}",{text})'
        return f"sum by({HOST},{label}) ({self.hosted(by_target)})"

    def hosted(self, text: str) -> str:
        """The series of `text` with the label HOST."""
        return self.placed(text) if self.apart else self._named(text)

    def placed(self, text: str) -> str:
        """… and with REGION and CLUSTER."""
        text = self._named(text)
        for made, labels in ((REGION, self.region), (CLUSTER, self.cluster)):
            for label in reversed(labels):
                text = label_of(text, made, label)
        return joined(text, HOST, _BETWEEN, (HOST, REGION, CLUSTER)) if self.apart else text

    def _named(self, text: str) -> str:
        """With the name alone as HOST."""
        for label in reversed(self.host):
            text = label_of(text, HOST, label, _WITHOUT_PORT if label == INSTANCE else "(.+)")
        return text
