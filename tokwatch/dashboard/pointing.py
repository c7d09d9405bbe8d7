"""Pointing: which figures are on screen and where, and which of them is next in a direction. Geometry only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.ledger.figure_path import FigurePath

Direction = Literal["left", "right", "up", "down"]
_ASIDE = 4  # how much more a cell beside the way counts than one along it
_ROW = 2  # a row is as high as two cells are wide


class Target(NamedTuple):
    """A figure on screen: its cells by column and row of the screen."""

    y: int
    x: int
    width: int
    path: FigurePath
    text: str


def targets(canvases: Iterable[Canvas]) -> list[Target]:
    """Every figure on screen in reading order; of one that is drawn over several rows only the first."""
    found: list[Target] = []
    for canvas in canvases:
        region = canvas.region
        if not canvas.display or not region:
            continue
        for row, line in enumerate(canvas.drawn()[: region.height]):
            found += [
                Target(region.y + row, region.x + spot.x, spot.width, spot.path, line.cut(spot.x, spot.width))
                for spot in line.spots
            ]
    places = {(target.y, target.x, target.path) for target in found}
    single = {target for target in found if (target.y - 1, target.x, target.path) not in places}
    return sorted(single, key=lambda target: target[:3])


def neighbour(of: Target, among: Sequence[Target], direction: Direction) -> Target | None:
    """The nearest figure in a direction; None where there is none."""
    sideways = direction in ("left", "right")
    ahead = [(far, other) for other in among if (far := _ahead(of, other, direction)) > 0]

    def cost(pair: tuple[int, Target]) -> tuple[int, int, int]:
        far, other = pair
        aside = _ROW * abs(other.y - of.y) if sideways else _beside(of, other)
        return far * (1 if sideways else _ROW) + _ASIDE * aside, other.y, other.x

    return min(ahead, key=cost)[1] if ahead else None


def following(of: Target, among: Sequence[Target], step: int) -> Target:
    """The next figure in reading order, or the one before; after the last one the first."""
    place = among.index(of) if of in among else -1
    return among[(place + step) % len(among)]


def found_again(of: Target, among: Sequence[Target]) -> Target | None:
    """The same figure in a later frame, the one nearest to where it was; where it is gone, what stands nearest."""
    same = [target for target in among if target.path == of.path]
    return min(same or among, default=None, key=lambda target: (_distance(of, target), *target[:2]))


def at(x: int, y: int, among: Iterable[Target]) -> Target | None:
    """The figure at a cell of the screen."""
    return next((target for target in among if target.y == y and target.x <= x < target.x + target.width), None)


def _ahead(of: Target, other: Target, direction: Direction) -> int:
    """How far it lies ahead, by the edges that face each other; 0 or less where it does not."""
    if direction == "up":
        return of.y - other.y
    if direction == "down":
        return other.y - of.y
    if direction == "left":
        return of.x - (other.x + other.width) + 1
    return other.x - (of.x + of.width) + 1


def _beside(of: Target, other: Target) -> int:
    """The columns between two figures; 0 where one stands over the other."""
    return max(0, other.x - (of.x + of.width), of.x - (other.x + other.width))


def _distance(of: Target, other: Target) -> int:
    return _ROW * abs(other.y - of.y) + abs(other.x - of.x)
