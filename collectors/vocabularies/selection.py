"""Which series of a page a role may read: by spelling and label, without copies of other ranks and parts of a total."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collectors.exposition import SeriesLabels
from collectors.vocabularies.vocabulary import AllOf, Role, Series, parts_of, spellings

Found = list[tuple[Series, list[int]]]  # each series of a candidate with its positions among the page's series
Labels = tuple[tuple[str, str], ...]


class Selection:
    """Finds positions among `series`, and keeps the names that were `used`.

    copies: labels of ranks that all tell the same; the lowest rank found is taken alone, for each group of series
    with otherwise equal labels (rank 0 need not be there: under data-parallel attention each group has its own first).
    totals: label → the value that marks the total of the others; where it is there, it is taken alone.
    """

    def __init__(self, series: Sequence[SeriesLabels], *, copies: tuple[str, ...], totals: Mapping[str, str]) -> None:
        self._series = series
        self._copies = copies
        self._totals = totals
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for position, one in enumerate(series):
            self._by_name[one.name].append(position)
        self.used: set[str] = set()

    def first(self, role: Role, suffix: str = "") -> tuple[Series | AllOf | None, Found]:
        """The role's first candidate of which every series is on the page; (None, []) where there is none."""
        for candidate in role.candidates:
            found = [(series, self.positions(series, suffix)) for series in parts_of(candidate)]
            if all(positions for _, positions in found):
                self.used |= {self._series[position].name for _, positions in found for position in positions}
                return candidate, found
        return None, []

    def positions(self, series: Series, suffix: str = "") -> list[int]:
        """Of the first spelling that is on the page: twins under another spelling are not added."""
        for name in spellings(series.name + suffix):
            if positions := [p for p in self._by_name.get(name, ()) if self._selected(series, p)]:
                return self._once(positions)
        return []

    def rest(self, position: int, without: frozenset[str] = frozenset()) -> Labels:
        """The labels of a series but for those named, in a fixed order."""
        return tuple(sorted(item for item in self._series[position].labels.items() if item[0] not in without))

    def _selected(self, series: Series, position: int) -> bool:
        if not series.label:
            return True
        return (self._series[position].labels.get(series.label, "") in series.values) is not series.others

    def _once(self, positions: list[int]) -> list[int]:
        for label, total in self._totals.items():
            groups = self._grouped(positions, frozenset({label}))
            positions = [
                position
                for group in groups
                for position in ([p for p in group if self._series[p].labels.get(label, "") == total] or group)
            ]
        if self._copies:
            positions = [min(group, key=self._rank) for group in self._grouped(positions, frozenset(self._copies))]
        return sorted(positions)

    def _grouped(self, positions: Iterable[int], without: frozenset[str]) -> list[list[int]]:
        groups: dict[Labels, list[int]] = defaultdict(list)
        for position in positions:
            groups[self.rest(position, without)].append(position)
        return list(groups.values())

    def _rank(self, position: int) -> tuple[int, ...]:
        ranks = (self._series[position].labels.get(label, "") for label in self._copies)
        return tuple(int(rank) if rank.isascii() and rank.isdigit() else 0 for rank in ranks)
