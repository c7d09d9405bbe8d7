"""Hosts of one name in several places behind one Prometheus: which there are, and by what labels each is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from collectors.labels import REPLACEMENT
from collectors.prometheus.expressions import quoted
from collectors.prometheus.identity import HostIdentity
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.fleet.tally import HostKey, HostTally


class EqualNames:
    """Of the hosts of one look."""

    def __init__(self, hosts: Sequence[HostTally] = (), identity: HostIdentity | None = None) -> None:
        self._identity = identity or HostIdentity()
        counts = Counter(host.host for host in hosts)
        self.names = tuple(sorted(name for name, count in counts.items() if count > 1))

    @property
    def labels(self) -> tuple[str, ...]:
        """By which they are told apart."""
        return (*self._identity.region, *self._identity.cluster)

    def place_of(self, host: HostKey) -> str:
        """Matchers of the series of this host and of no other of its name; "" where it needs none.

        Raises SourceError where the place is not known letter by letter.
        """
        if host.host not in self.names:
            return ""
        if any(REPLACEMENT in text or text.endswith("…") for text in host):
            raise SourceError(
                f"{host.words}: its labels have characters that cannot be shown, so it cannot be asked for"
            )
        values = dict.fromkeys(self._identity.region, host.region)
        values |= dict.fromkeys(self._identity.cluster, host.cluster)
        return ",".join(f"{label}={quoted(value)}" for label, value in values.items())
