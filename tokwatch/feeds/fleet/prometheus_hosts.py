"""Which hosts there are, where they stand, and which of their targets do not answer: PromQL by target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.dialects import Dialects
from collectors.prometheus.expressions import Ask, duration, either, matches
from collectors.prometheus.identity import CLUSTER, HOST, INSTANCE, REGION, HostIdentity
from tokwatch.feeds.fleet.prometheus_gpus import REMEMBERED_S

JOB: Final = "job"
GPU: Final = "gpu"  # what hosts are seen by: figures are called "gpu_targets", "gpu_newest" and so on
SERVER: Final = "server"
LOST_S: Final = 3600.0  # how long back a target's last answer is looked for
MAX_ASKED: Final = 100  # dead targets whose last answer is looked for: their names make the query long


@dataclass(frozen=True, slots=True)
class HostQuestions:
    """`gpu_names`, `server_names`: series by which either is seen to be there. `jobs`: those that scrape them."""

    dialects: Dialects
    identity: HostIdentity
    gpu_names: tuple[str, ...]
    server_names: tuple[str, ...]
    jobs: tuple[str, ...]
    window_s: float
    interval_s: float

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.gpu_names, *self.server_names)))

    def repeated(self, seen_over_s: float) -> str:
        """Something where hosts of one name stood in several regions or clusters; "" where no label tells of places.

        Series that do not tell their place are at that of the others.
        """
        texts = []
        for label in (*self.identity.region, *self.identity.cluster):
            labels = ",".join(dict.fromkeys((*self.identity.host, label)))
            series = self.dialects.series(self.names, matches(label, [""], others=True))
            told = f"count by({labels}) (last_over_time({series}[{duration(seen_over_s)}]))"
            texts.append(f"count by({HOST}) (count by({HOST},{label}) ({self.identity.hosted(told)})) > 1")
        return f"count({either(texts)})" if texts else ""

    def targets(self) -> Iterator[Ask]:
        """Each target's host, region and cluster; for a while after it fell silent, too."""
        for figure, names in ((GPU, self.gpu_names), (SERVER, self.server_names)):
            if names:
                labels = ",".join(dict.fromkeys((JOB, INSTANCE, *self.identity.labels)))
                each = f"count by({labels}) (last_over_time({self.dialects.series(names)}[{duration(REMEMBERED_S)}]))"
                placed = self.identity.placed(each)
                yield Ask(f"{figure}_targets", f"count by({HOST},{REGION},{CLUSTER},{JOB},{INSTANCE}) ({placed})")
        if self.jobs:
            labels = f"{HOST},{REGION},{CLUSTER},{JOB},{INSTANCE}"
            yield Ask("dead", f"min by({labels}) ({self.identity.placed(f'{self._up()} == 0')})")

    def instants(self) -> Iterator[Ask]:
        """Of each host's newest sample, and how far it is from the one that increments count from.

        The longest of its series, each by itself: its pages are not scraped at the same time, and from the first sample
        of one to the last one of another it is up to a scrape longer than what any of them counted in.
        """
        window = duration(self.window_s)
        for figure, series in self._presence().items():
            newest = [f"timestamp({each})" for each in series]
            lengths = [f"timestamp({each}) - timestamp({each} offset {window})" for each in series]
            yield Ask(f"{figure}_newest", self.identity.added_up("max", either(newest)))
            yield Ask(f"{figure}_length", self.identity.added_up("max", either(lengths)))

    def young_lengths(self) -> Iterator[Ask]:
        """From each host's first sample in the window: what increments count from where there was none before. Asked
        only where a host is so young, for it is dear."""
        steps = f"{duration(self.window_s)}:{duration(self.interval_s)}"
        for figure, series in self._presence().items():
            lengths = [f"timestamp({each}) - min_over_time(timestamp({each})[{steps}])" for each in series]
            yield Ask(f"{figure}_young_length", self.identity.added_up("max", either(lengths)))

    def _presence(self) -> Mapping[str, list[str]]:
        """A name at a time: timestamp() drops names, and two spellings of one page would then be one series twice."""
        told = {GPU: self.gpu_names, SERVER: self.server_names}
        return {figure: [self.dialects.series(name) for name in names] for figure, names in told.items() if names}

    @property
    def counted(self) -> str:
        """One number wherever there is anything: of targets, which are fewer than series."""
        return f"count({self._up() if self.jobs else self.dialects.series(self.names)})"

    def last_seen(self, instances: Sequence[str]) -> str:
        """Unix seconds at which these targets answered last, by target and place; those that did not within LOST_S are
        not told."""
        up = self._up(matches(INSTANCE, instances[:MAX_ASKED]))
        steps = f"{duration(LOST_S)}:{duration(self.interval_s)}"
        seen = self.identity.placed(f"max_over_time((({up} == 1) * 0 + time())[{steps}])")
        return f"max by({REGION},{CLUSTER},{JOB},{INSTANCE}) ({seen})"

    def _up(self, *matchers: str) -> str:
        return self.dialects.series("up", matches(JOB, self.jobs), *matchers)
