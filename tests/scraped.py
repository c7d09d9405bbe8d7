"""What a Prometheus makes of pages: samples with the labels of their target, as answers of the API and as a file."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collectors.exposition import parse
from collectors.prometheus.answers import Matrix

Labels = Mapping[str, str]


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True)
class Scrape:
    """A target's page at one instant; None: it could not be read."""

    target: Labels  # job, instance and what else the server knows
    at_s: float
    page: bytes | None


Sample = tuple[tuple[tuple[str, str], ...], float, float]  # labels, Unix seconds, value


def samples(scrapes: Iterable[Scrape], *, up: bool = True) -> Iterator[Sample]:
    """The samples that a server keeps of them, `up` among them unless told otherwise. What clashes with the target's
    labels gets another name."""
    for scrape in scrapes:
        if up:
            yield _labels("up", {}, scrape.target), scrape.at_s, float(scrape.page is not None)
        if scrape.page is not None:
            metrics = parse(scrape.page, _Everything())
            for series, value in zip(metrics.series, metrics.values, strict=True):
                yield _labels(series.name, series.labels, scrape.target), scrape.at_s, value


def _labels(name: str, on_page: Labels, target: Labels) -> tuple[tuple[str, str], ...]:
    kept = {(f"exported_{label}" if label in target else label): value for label, value in on_page.items() if value}
    return tuple(sorted({"__name__": name, **kept, **target}.items()))


def answers(told: Iterable[Sample]) -> tuple[Matrix, Matrix]:
    """(everything but `up`, `up`) as the answers to two queries."""
    rows: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    for labels, at_s, value in told:
        rows[labels].append((at_s, value))
    ups = {labels: row for labels, row in rows.items() if dict(labels)["__name__"] == "up"}
    return _matrix({labels: row for labels, row in rows.items() if labels not in ups}), _matrix(ups)


def _matrix(rows: Mapping[tuple[tuple[str, str], ...], Sequence[tuple[float, float]]]) -> Matrix:
    return Matrix(
        labels=tuple(map(dict, rows)),
        times_s=tuple(tuple(at_s for at_s, _ in row) for row in rows.values()),
        values=tuple(tuple(value for _, value in row) for row in rows.values()),
    )


def openmetrics(told: Iterable[Sample]) -> str:
    """As `promtool tsdb create-blocks-from openmetrics` reads it."""
    lines = []
    for labels, at_s, value in told:
        named = dict(labels)
        name = named.pop("__name__")
        block = ",".join(f'{label}="{_escaped(text)}"' for label, text in named.items())
        lines.append(f"{name}{{{block}}} {_number(value)} {at_s:.3f}")
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, repr(value))
