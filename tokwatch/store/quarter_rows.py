"""Quarter-hour rows: what a GPU, a flow and a box add up to in one quarter hour of one run. Types only.

Rows of minutes and of other lengths have the same types: then quarter_ms is where such a period starts.
The garbage collector does not track them (gc=False): they hold no cycles, and a week of 64 GPUs has 60 000 of them.
"""

from __future__ import annotations

import msgspec

from tokwatch.ledger.entries import HistogramEntry


class GpuQuarter(msgspec.Struct, frozen=True, gc=False):
    """One GPU serving one owner in one quarter hour of one run. `*_ms` sums carry their own time: mean = sum / time."""

    quarter_ms: int
    run: int
    entity: int
    owner: int
    state_ms: dict[int, int]  # State → milliseconds, gaps left out; no zeros
    gap_ms: int  # nobody watched: energy is known, states are not
    energy_mj: int | None
    measured_ms: int  # the time that energy_mj speaks for
    power_max_mw: int | None
    power_mw_ms: int  # Σ power × time
    power_ms: int
    util_permille_ms: int
    util_ms: int
    memory_mib_ms: int
    memory_ms: int
    temperature_max_c: int | None
    entries: int  # those that ended in this quarter
    flags: int  # all that occurred
    lost_mj: int = 0  # the most that was drawn and is not in energy_mj
    tensor_permille_ms: int = 0
    tensor_ms: int = 0
    dram_permille_ms: int = 0
    dram_ms: int = 0
    idle_energy_mj: int | None = None  # of energy_mj, what entries in an idle State drew; None also in rows of before

    @property
    def observed_ms(self) -> int:
        return sum(self.state_ms.values())


class FlowQuarter(msgspec.Struct, frozen=True, gc=False):
    """One flow in one quarter hour of one run: what is counted at its server, or only what is counted elsewhere."""

    quarter_ms: int
    run: int
    entity: int
    covered_ms: int  # the time that the counts speak for
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    finished: int | None
    failed: int | None
    aborted: int | None
    preempted: int | None
    histograms: tuple[HistogramEntry, ...]  # one for each name and edges, in that order
    entries: int
    flags: int
    drafted_tokens: int | None = None
    accepted_tokens: int | None = None


class HostQuarter(msgspec.Struct, frozen=True, gc=False):
    """What one box drew in one quarter hour of one run."""

    quarter_ms: int
    run: int
    entity: int
    observed_ms: int
    energy_mj: int | None  # of the whole box by its own sensors, GPUs included
    energy_ms: int  # the time that energy_mj speaks for
    package_energy_mj: int | None  # of its processor packages
    package_ms: int
    entries: int
    flags: int
