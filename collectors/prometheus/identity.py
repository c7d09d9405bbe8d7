"""Whose a series is: one label for the host, made on the server's side of the labels that say it. Pure text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.expressions import label_of

HOST: Final = "tw_host"
REGION: Final = "tw_region"
CLUSTER: Final = "tw_cluster"

# What a list of `tokwatch targets` and the shipped scrape configuration say first: it is the same for every page of a
# host. Then dcgm-exporter's own (the later spelling is of 2026), and what relabelling in Kubernetes usually leaves.
NODE_LABELS: Final = ("host", "Hostname", "hostname", "node", "nodename", "kubernetes_node")
INSTANCE: Final = "instance"
_WITHOUT_PORT: Final = "(.+?)(?::[0-9]+)?"


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """Which labels name a series' host, region and cluster; the first one that it has counts."""

    host: tuple[str, ...] = (*NODE_LABELS, INSTANCE)
    region: tuple[str, ...] = ("region",)
    cluster: tuple[str, ...] = ("cluster",)

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

    def among(self, present: Collection[str]) -> HostIdentity:
        """Without the labels that no series has: each costs the server a pass over all of them."""

        def kept(labels: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(label for label in labels if label in present or label == INSTANCE)

        return HostIdentity(kept(self.host), kept(self.region), kept(self.cluster))

    def added_up(self, sums: str, text: str, *labels: str) -> str:
        """`text` by HOST and `labels`. sums: "sum", "count", "max" or "min".

        First by the labels as they are: a Prometheus takes 15 µs to make a label, and hosts are fewer than series.
        """
        kept = "".join(f",{label}" for label in labels)
        by_target = f"{sums} by({','.join(self.host)}{kept}) ({text})"
        return f"{'sum' if sums == 'count' else sums} by({HOST}{kept}) ({self.hosted(by_target)})"

    def counted(self, text: str, label: str) -> str:
        """How many series of each host have a value, by the value, which stands in `label`."""
        by_target = f'count_values by({",".join(self.host)}) ("{label}",{text})'
        return f"sum by({HOST},{label}) ({self.hosted(by_target)})"

    def hosted(self, text: str) -> str:
        """The series of `text` with the label HOST."""
        for label in reversed(self.host):
            text = label_of(text, HOST, label, _WITHOUT_PORT if label == INSTANCE else "(.+)")
        return text

    def placed(self, text: str) -> str:
        """… and with REGION and CLUSTER."""
        text = self.hosted(text)
        for made, labels in ((REGION, self.region), (CLUSTER, self.cluster)):
            for label in reversed(labels):
                text = label_of(text, made, label)
        return text
