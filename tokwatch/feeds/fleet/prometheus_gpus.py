"""What is asked of a Prometheus about GPUs: PromQL by host, built from the tables of collectors/meters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from collectors.meters.meter import Meter, Several, Source
from collectors.meters.values import MOST, NEVER_ZERO
from collectors.prometheus.dialects import AGENT_STATE, AGENT_VERSION, Dialects, MeterNames
from collectors.prometheus.expressions import (
    Ask,
    constant,
    duration,
    either,
    increment,
    label_of,
    matches,
    quoted,
    scaled,
)
from collectors.prometheus.identity import HOST, INSTANCE, HostIdentity
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.judging import HELD_MIB, QUIET_UTILIZATION

GPU_MODEL: Final = "tw_gpu"
DOING: Final = "tw_doing"  # its values, by the coarse rule:
BUSY, QUIET, HELD = range(3)
REMEMBERED_S: Final = 300.0  # how long a host's hardware is known after its last sample
_MIB: Final = 2**20
_NO_PART: Final = '"|NA|N/A"'
_MOST_SHARE: Final = 1.05  # shares of time are told a little above 1 where two clocks measured them
_LABEL_SPELLINGS: Final = {"modelname": ("modelName",)}
# What stands for a GPU's being there, the likeliest first.
_PRESENCE: Final = ("power_w", "utilization", "memory_used_bytes", "temperature_c", "energy_mj")

IDLE_STATES: Final = tuple(state.name.lower() for state in State if state.idle)

Of = Callable[[str], str]  # a selector → what is asked of each of its series


def _itself(series: str) -> str:
    return series


@dataclass(frozen=True, slots=True)
class GpuQuestions:
    """Figures by host. Of a host one meter is heard, the first that tells the figure: the agent's before any other."""

    dialects: Dialects
    identity: HostIdentity
    window_s: float
    interval_s: float

    # --- the questions ------------------------------------------------------------------------------------------------

    def power(self) -> Iterator[Ask]:
        yield from self._by_host("power_w", "sum", "power_w")
        yield from self._by_host("utilization_sum", "sum", "utilization")

    def energy(self) -> Iterator[Ask]:
        """Millijoules in the window."""
        yield from self._by_host("energy_mj", "sum", "energy_mj", self._increment)

    def sensors(self) -> Iterator[Ask]:
        """How many GPUs tell them, and what moves slowly."""
        yield from self._by_host("power_gpus", "count", "power_w")
        yield from self._by_host("energy_gpus", "count", "energy_mj")
        yield from self._by_host("memory_used_bytes", "sum", "memory_used_bytes")
        yield from self._by_host("temperature_c", "max", "temperature_c")

    def doings(self) -> Iterator[Ask]:
        """Agents' states, and what the coarse rule needs where there are none (see ledger/fleet/judging.py)."""
        if self.dialects.gpu_states:
            states = f"max without(job) ({self.dialects.series(AGENT_STATE)} > 0)"
            yield Ask("states", self.identity.added_up("sum", states, "state"))
        if texts := [self.identity.counted(each, DOING) for each in self._doings()]:
            yield Ask("doings", either(texts, HOST))

    def idle(self, at_work: str) -> Iterator[str]:
        """Idle GPUs by host, in several answers: as agents tell, else quiet ones, but for those held beside a server at
        work. at_work: such hosts; "" none."""
        if self.dialects.gpu_states:
            series = self.dialects.series(AGENT_STATE, matches("state", IDLE_STATES))
            yield self.identity.added_up("sum", f"max without(job) ({series})")
        for each in self._doings():
            quiet = self.identity.added_up("sum", f"(({each}) > bool 0)")
            free = self.identity.added_up("sum", f"(({each}) == bool {QUIET})")
            yield f"({quiet} unless on({HOST}) ({at_work})) or {free}" if at_work else quiet

    def hardware(self) -> Iterator[Ask]:
        """GPUs by host and model, for a while after a host fell silent too; their memory; the agent's version."""
        texts = [self._models(names) for names in self.dialects.meters]
        if texts:
            yield Ask("gpus", either(texts, HOST))
        yield from self._by_host("memory_total_bytes", "sum", "memory_total_bytes")
        if AGENT_VERSION in self.dialects.names:
            yield Ask("agent", self.identity.added_up("count", self.dialects.series(AGENT_VERSION), "version"))

    def presence(self) -> tuple[str, ...]:
        """Names by which a host's GPUs are seen to be there: one figure of each meter."""
        return tuple(name for names in self.dialects.meters for name in _first_told(names))

    # --- how they are built -------------------------------------------------------------------------------------------

    def _doings(self) -> Iterator[str]:
        """BUSY, QUIET or HELD of each GPU whose busy time is known; none is held whose memory is not."""
        window = duration(self.window_s)
        for names in self.dialects.meters:
            most = self._each(names, "utilization", lambda series: f"max_over_time({series}[{window}])")
            if most is None:
                continue
            quiet = f"(({most}) < bool {QUIET_UTILIZATION})"
            if (used := self._each(names, "memory_used_bytes")) is None:
                yield quiet
            else:
                held = f"((sum by({self._keys(names.meter)}) ({used})) >= bool {HELD_MIB * _MIB})"
                yield f"({quiet} * (1 + {held})) or {quiet}"

    def _by_host(self, figure: str, sums: str, field: str, of: Of = _itself) -> Iterator[Ask]:
        texts = [
            self.identity.added_up(sums, text)
            for names in self.dialects.meters
            if (text := self._each(names, field, of)) is not None
        ]
        if texts:
            yield Ask(figure, either(texts, HOST))

    def _each(self, names: MeterNames, field: str, of: Of = _itself) -> str | None:
        """A field GPU by GPU (memory: part by part), in our unit; what is not possible is left out."""
        texts = [
            scaled(" + ".join(self._series(names, field, source, name, of) for name in source.names), source.scale)
            for source in names.meter.values.get(field, ())
            if all(name in names.spelled for name in source.names)
        ]
        if not texts:
            return None
        return f"({either(texts)}) {self._possible(names.meter, field, of)}"

    def _possible(self, meter: Meter, field: str, of: Of) -> str:
        """As a page's reader has it (collectors/meters/values.py): what no board can have is a blank or a lie."""
        most = MOST["power_w"] * 1000 * self.window_s if of == self._increment else MOST.get(field, _MOST_SHARE)
        most = min(most, meter.at_most.get(field, most))
        return f"{'>' if field in NEVER_ZERO else '>='} 0 <= {most:.12g}"

    def _series(self, names: MeterNames, field: str, source: Source, name: str, of: Of) -> str:
        meter = names.meter
        parted = _tells_parts(meter, field, name)
        matchers = [*_labels(source), *([] if parted else _whole_boards(meter, field))]
        sums = "sum" if source.several is Several.SUM else "max"
        series = of(self.dialects.series(names.spelled[name], *matchers))
        return f"{sums} by({self._keys(meter, parts=parted)}) ({series})"

    def _keys(self, meter: Meter, *, parts: bool = False) -> str:
        """Labels that tell one GPU from another. What stands several times on a page, or is asked for by several jobs,
        is one."""
        identity = [label for labels in meter.identity for label in labels if label != INSTANCE]
        labels = [*identity, *(meter.parts.labels if parts and meter.parts else ())]
        return ",".join(dict.fromkeys([*self.identity.of_one_host, *_spelled(labels)]))

    def _increment(self, series: str) -> str:
        return increment(series, self.window_s, self.interval_s)

    def _models(self, names: MeterNames) -> str:
        meter, labels = names.meter, tuple(_spelled(names.meter.model))
        there = [names.spelled[name] for name in meter.info if name in names.spelled] or list(_first_told(names))
        of_model = "".join(f",{label}" for label in labels)
        series = f"last_over_time({self.dialects.series(there)}[{duration(REMEMBERED_S)}])"
        text = f"max by({self._keys(meter)}{of_model}) ({series})"
        text = self.identity.hosted(f"count by({','.join(self.identity.of_one_host)}{of_model}) ({text})")
        if meter.device_name is not None:
            text = constant(text, GPU_MODEL, meter.device_name)
        for label in reversed(labels):
            text = label_of(text, GPU_MODEL, label)
        return f"sum by({HOST},{GPU_MODEL}) ({text})"


def _first_told(names: MeterNames) -> tuple[str, ...]:
    """The series of the likeliest field that is there, in all of its spellings; info series where there is no field."""
    for field in _PRESENCE:
        sources = names.meter.values.get(field, ())
        if found := [names.spelled[name] for source in sources for name in source.names if name in names.spelled]:
            return tuple(dict.fromkeys(found))
    return tuple(names.spelled.values())[:1]


def _tells_parts(meter: Meter, field: str, name: str) -> bool:
    """Whether the series has a board's memory part by part, to be added up."""
    if meter.parts is None:
        return False
    sources = {"memory_used_bytes": meter.parts.memory_used, "memory_total_bytes": meter.parts.memory_total}
    of_parts = {name for source in sources.get(field, ()) for name in source.names}
    # DCGM's FB_RESERVED is told with the others, but not in the table of parts.
    return bool(of_parts) and (name in of_parts or name in _beside(meter, field, of_parts))


def _beside(meter: Meter, field: str, names: set[str]) -> set[str]:
    return {each for source in meter.values[field] if names & set(source.names) for each in source.names}


def _whole_boards(meter: Meter, field: str) -> Iterator[str]:
    """Matchers that leave the parts of a divided board out, where their series do not speak of the board."""
    if meter.parts is None:
        return
    if meter.parts.whole:
        for label in _spelled(meter.parts.labels):
            yield f'{label}=~"|{meter.parts.whole}"'
    elif field not in meter.parts.of_the_board:
        for label in _spelled(meter.parts.labels):
            yield f"{label}=~{_NO_PART}"


def _labels(source: Source) -> Iterator[str]:
    return (f"{label}=~{quoted(f'(?i:{pattern})')}" for label, pattern in source.labels)


def _spelled(labels: Iterable[str]) -> Iterator[str]:
    """The tables have labels in lower case; exporters write some in capitals."""
    for label in labels:
        yield from dict.fromkeys((label, label.upper(), *_LABEL_SPELLINGS.get(label, ())))
