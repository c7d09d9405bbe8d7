"""Showback: for whom tokens were made, where only the gateway before the engines knows. Pure arithmetic on counts.

A token is counted once, at the engine, which knows no tenants. The gateway saw the same tokens pass, later and with the
tenant's label: what was counted is divided in proportion to what it saw. Nothing is added: the parts are the count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from collectors.readings import UNTAGGED
from tokwatch.ledger.weights import split_counts


class Whose(NamedTuple):
    """A tenant, and the tier that a label names ("" without one)."""

    tenant: str
    tier: str


NOBODYS: Final = Whose(UNTAGGED, "")


class Counts(NamedTuple):
    """Tokens and requests of one model in one stretch of time."""

    prompt: int = 0  # cached ones included
    cached: int | None = None  # None: not told
    output: int = 0
    finished: int | None = None

    def plus(self, other: Counts) -> Counts:
        """The sum; of what neither tells, None."""
        return Counts(
            self.prompt + other.prompt,
            _plus(self.cached, other.cached),
            self.output + other.output,
            _plus(self.finished, other.finished),
        )


class Divided(NamedTuple):
    """What is whose of one stretch: in the order of `Division.whose`."""

    uncached: tuple[int, ...]
    cached: tuple[int, ...]
    output: tuple[int, ...]
    finished: tuple[int, ...]


class Division(NamedTuple):
    """Counts of several stretches, by whom they were for; the last of `whose` is nobody."""

    whose: tuple[Whose, ...]
    stretches: tuple[Divided, ...]


def models_behind(gateway: Iterable[str], counted: Iterable[str]) -> dict[str, str]:
    """Model as a gateway calls it → the same as its engine calls it; a model that is none of them is left out.

    The same name, else the same last part of a path whatever its case, else the only one that is left on either side.
    """
    there = sorted(set(counted))
    found = {name: engine for name in sorted(set(gateway)) if (engine := _named_alike(name, there)) is not None}
    left = set(gateway) - found.keys()
    unasked = set(there) - set(found.values())
    if len(left) == len(unasked) == 1:
        found[left.pop()] = unasked.pop()
    return found


def divide(counted: Sequence[Counts], seen: Sequence[Mapping[Whose, Counts]]) -> Division:
    """What an engine counted in stretches that follow each other, in proportion to what its gateway saw in each.

    Where the gateway saw less, the rest went around it and is nobody's; where it saw more, its counts are scaled. It
    counts a request when it ends, so what is too much in one stretch fills what is too little in the others first.
    """
    totals: dict[Whose, Counts] = {}
    for stretch in seen:
        for whose, counts in stretch.items():
            totals[whose] = totals[whose].plus(counts) if whose in totals else counts
    tenants = sorted(whose for whose, counts in totals.items() if whose != NOBODYS and _any(counts))
    everyone = (*tenants, NOBODYS)
    rows = [[stretch.get(whose, _NOTHING) for whose in everyone] for stretch in seen]
    cached_told = any(counts.cached is not None for counts in totals.values())
    prompts = [
        [_by_class(each, there, told=cached_told) for each in row] for row, there in zip(rows, counted, strict=True)
    ]
    # Cached and uncached tokens are places of one account: where the gateway knows less of the cache than the engine
    # does, a tenant's prompt tokens are still all its own.
    by_class = _placed(
        [*(there.prompt - (there.cached or 0) for there in counted), *(there.cached or 0 for there in counted)],
        [*([each[0] for each in row] for row in prompts), *([each[1] for each in row] for row in prompts)],
    )
    output = _placed([there.output for there in counted], [[each.output for each in row] for row in rows])
    finished = [there.finished or 0 for there in counted]
    if any(counts.finished is not None for counts in totals.values()):
        requests = _placed(finished, [[each.finished or 0 for each in row] for row in rows])
    else:
        requests = [list(split_counts(number, parts)) for number, parts in zip(finished, output, strict=True)]
    stretches = zip(by_class[: len(rows)], by_class[len(rows) :], output, requests, strict=True)
    return Division(everyone, tuple(Divided(*map(tuple, each)) for each in stretches))


_NOTHING: Final = Counts()


def _named_alike(name: str, there: Collection[str]) -> str | None:
    if name in there:
        return name
    alike = [engine for engine in there if _last_part(engine) == _last_part(name)]
    return alike[0] if len(alike) == 1 else None


def _last_part(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2].casefold()


def _by_class(seen: Counts, there: Counts, *, told: bool) -> tuple[int, int]:
    """(uncached, cached) prompt tokens as the gateway saw them; in the engine's proportion where it knows no cache."""
    if told or not there.prompt:
        cached = min(seen.cached or 0, seen.prompt)
    else:
        cached = seen.prompt * (there.cached or 0) // there.prompt
    return seen.prompt - cached, cached


def _placed(counted: Sequence[int], seen: Sequence[Sequence[int]]) -> list[list[int]]:
    """Each count in parts that add up to it, as near to what was seen as they can be; the last part is the rest."""
    parts = [list(_at_most(there, own)) for there, own in zip(counted, seen, strict=True)]
    late = [sum(column) for column in zip(*seen, strict=True)]
    for row in parts:
        late = [all_of_it - placed for all_of_it, placed in zip(late, row, strict=True)]
    for there, row in zip(counted, parts, strict=True):
        more = _at_most(there - sum(row), late)
        late = [left - placed for left, placed in zip(late, more, strict=True)]
        row[:] = map(sum, zip(row, more, strict=True))
        row[-1] += there - sum(row)
    return parts


def _at_most(there: int, wanted: Sequence[int]) -> Sequence[int]:
    """All that is wanted, or as much of each in proportion as there is."""
    return wanted if sum(wanted) <= there else split_counts(there, wanted)


def _any(counts: Counts) -> bool:
    return any(counts[:3]) or bool(counts.finished)


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
