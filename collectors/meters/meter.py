"""The shape of a meter: which series of an exporter's page tells what of which device. `reader.py` reads by it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


class Several(enum.Enum):
    """What several samples of one series mean when they speak of the same thing."""

    COPIES = "copies"  # one value told several times, such as once for each pod: the first is taken
    SUM = "sum"
    MOST = "most"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one value stands on the page: in one series, or as the sum of several, each of which must be there."""

    names: tuple[str, ...]
    scale: float = 1.0  # page unit × scale = our unit
    labels: tuple[tuple[str, str], ...] = ()  # (label, pattern): only samples with such labels, in any case
    several: Several = Several.COPIES


def told_by(
    *names: str, scale: float = 1.0, labels: tuple[tuple[str, str], ...] = (), several: Several = Several.COPIES
) -> Source:
    """A Source, as the tables write it."""
    return Source(names, scale, labels, several)


@dataclass(frozen=True, slots=True)
class Parts:
    """How a page tells the parts of a board: MIG slices, partitions, tiles.

    A part has no watts of its own. Where its series repeat the whole board's, they are counted once.
    """

    labels: tuple[str, ...]  # a sample with one of these speaks of a part
    whole: str = ""  # the value with which an undivided board is told, which is the first part of a divided one
    of_the_board: frozenset[str] = frozenset()  # values that speak of the board though a part is named beside them
    uuid: str = ""  # label with the part's own UUID
    profile: str = ""  # label with its size or kind
    memory_used: tuple[Source, ...] = ()
    memory_total: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Meter:
    """What the names on one exporter's page mean.

    `values` has the fields of GpuReading, of GpuFacts ("memory_total_bytes", "power_limit_w") and "xid", the last Xid
    code. The first source that is on the page and tells a possible value is read, so the newest name stands first.
    Labels are written in lower case and without "exported_": pages have them in both spellings.
    """

    name: str  # as in GpuFacts.meter
    signs: tuple[frozenset[str], ...]  # it is this exporter when all the names of one of these sets are on the page
    values: Mapping[str, tuple[Source, ...]]
    identity: tuple[tuple[str, ...], ...]  # labels that tell devices apart; the first set that a sample has
    uuid: str = ""  # label with the device's UUID; where there is none, its identity stands for it
    uuid_prefix: str = ""  # what the exporter leaves out of the UUID as others write it
    index: tuple[str, ...] = ()  # labels, the first that holds a number; so for the others
    pci: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    driver: tuple[str, ...] = ()
    pod: tuple[str, ...] = ()  # labels that name the pod which a device is given to …
    namespace: tuple[str, ...] = ()  # … and its namespace
    info: tuple[str, ...] = ()  # series that are read for their labels alone
    device_name: str | None = None  # where no label names the model
    kind: str = "gpu"  # as in GpuFacts.kind
    parts: Parts | None = None
    at_most: Mapping[str, float] = field(default_factory=dict)  # in our units: what no such device can exceed
    energy_estimated: bool = False  # the exporter's energy counter is its own integral of power
    prefixed: bool = False  # its config can put a prefix before every name
    interval_s: float = 1.0  # asking more often brings nothing new, or costs the exporter too much

    def page_names(self, on_page: frozenset[str]) -> dict[str, str]:
        """name on the page → name in this table, of every series the table can read; {} where it is another's page."""
        return page_names(self.signs, self._wanted, on_page, prefixed=self.prefixed)

    @cached_property
    def _wanted(self) -> frozenset[str]:
        sources = [source for sources in self.values.values() for source in sources]
        if self.parts is not None:
            sources += [*self.parts.memory_used, *self.parts.memory_total]
        return frozenset(name for source in sources for name in source.names).union(self.info)


class Covers(enum.StrEnum):
    """What a host's watts are the watts of."""

    SERVER = "whole server"  # at its power supplies: GPUs, fans and losses included
    PROCESSORS = "processors and memory"


@dataclass(frozen=True, slots=True)
class HostMeter:
    """What an exporter's page says about the power of the machine it runs on or asks."""

    name: str
    signs: tuple[frozenset[str], ...]
    watts: tuple[tuple[Covers, Source], ...]  # the first that is on the page
    hosts: tuple[str, ...] = ()  # labels that name the machine, where the page does
    interval_s: float = 5.0

    def page_names(self, on_page: frozenset[str]) -> dict[str, str]:
        wanted = frozenset(name for _, source in self.watts for name in source.names)
        return page_names(self.signs, wanted, on_page, prefixed=False)


def page_names(
    signs: tuple[frozenset[str], ...], wanted: frozenset[str], on_page: frozenset[str], *, prefixed: bool
) -> dict[str, str]:
    """name on the page → wanted name; {} unless one of the signs is there, under one prefix where prefixes are used."""
    for sign in signs:
        for prefix in _prefixes(min(sign), on_page) if prefixed else ("",):
            if all(prefix + name in on_page for name in sign):
                return {prefix + name: name for name in wanted if prefix + name in on_page}
    return {}


def _prefixes(name: str, on_page: frozenset[str]) -> list[str]:
    """What stands before `name` on the page, "" first."""
    return sorted(found.removesuffix(name) for found in on_page if found.endswith(name))
