"""Reads a Prometheus text page (version 0.0.4): the wanted samples of it, strictly, and the names on it.

Only lines whose name is wanted are parsed in full; of the others the name alone is checked. A line that cannot be read
fails the whole page, because a counter read from a broken page would become tokens and money.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Container
from dataclasses import dataclass

from collectors.labels import clean_label

# 300 000 series took a general parser 3.7 s. These caps bound the time a hostile page can take to about 0.5 s.
MAX_LINES = 250_000
MAX_SAMPLES = 50_000  # wanted ones


class PageKind(enum.StrEnum):
    """What a page that could not be read seems to be."""

    MALFORMED = "malformed"
    TOO_LONG = "too long"
    HTML = "html"
    JSON = "json"


class ExpositionError(ValueError):
    """The page is no metrics page that can be trusted; the text says why and where."""

    def __init__(self, problem: str, kind: PageKind = PageKind.MALFORMED) -> None:
        super().__init__(problem)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class SeriesLabels:
    """What names one series: its name as it stands on the page ("x_bucket", "x_sum", "y_total") and clean labels."""

    name: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Metrics:
    """The wanted series of one page, in page order; `series`, `values` and `lines` are of one length.

    Trailing timestamps and exemplars were checked and dropped.
    """

    series: tuple[SeriesLabels, ...]
    values: tuple[float, ...]  # may be NaN or infinite
    lines: tuple[int, ...]  # the number of each series' line on the page, from 0
    names: frozenset[str]  # of all series on the page, wanted or not


@dataclass(frozen=True, slots=True)
class Lines:
    """A page split once: its names say which engine it is of, and then which of its lines are wanted."""

    series: tuple[tuple[int, str, str], ...]  # (line number from 0, series name, line): neither blanks nor comments
    names: frozenset[str]


_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?=[ \t{])")
_LABEL = re.compile(
    r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*(?:,[ \t]*|(?=\}))',
)
_ESCAPE = re.compile(r'\\[\\n"]')
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def parse(page: bytes, wanted: Container[str]) -> Metrics:
    """The series of `page` whose name is in `wanted`.

    Raises ExpositionError on a page that is not metrics, is cut off, is too long, or has an unreadable line.
    """
    return parse_lines(split(page), wanted)


def names_on(page: bytes) -> frozenset[str]:
    """All series names on `page`. Raises ExpositionError as `parse` does, but looks at names only."""
    return split(page).names


def split(page: bytes) -> Lines:
    """The series lines of `page`. Raises ExpositionError as `parse` does, but looks at names only."""
    _refuse_other_formats(page)
    if page.count(b"\n") > MAX_LINES:
        raise ExpositionError(f"page of more than {MAX_LINES} lines", PageKind.TOO_LONG)
    # Not splitlines(): that also splits at U+2028 and vertical tabs, which may stand inside a label value.
    series: list[tuple[int, str, str]] = []
    for number, line in enumerate(page.decode("utf-8", "replace").split("\n")):
        line = line.strip(" \t\r")
        if not line or line[0] == "#":
            continue
        name = _NAME.match(line)
        if name is None:
            raise _malformed(number, line, "no metric name at the start")
        series.append((number, name[0], line))
    return Lines(tuple(series), frozenset(name for _, name, _ in series))


def parse_lines(lines: Lines, wanted: Container[str]) -> Metrics:
    """`parse`, of a page that is split already."""
    series: list[SeriesLabels] = []
    values: list[float] = []
    numbers: list[int] = []
    seen: set[str] = set()
    for number, name, line in lines.series:
        if name not in wanted:
            continue
        try:
            labels, end = label_block(name, line)
            value = _value(line[end:])
            if line[:end] in seen:
                raise ValueError("the same series twice")
        except ValueError as error:
            raise _malformed(number, line, str(error)) from None
        seen.add(line[:end])
        if len(seen) > MAX_SAMPLES:
            raise ExpositionError(f"more than {MAX_SAMPLES} series to read", PageKind.TOO_LONG)
        series.append(SeriesLabels(name, labels))
        values.append(value)
        numbers.append(number)
    return Metrics(tuple(series), tuple(values), tuple(numbers), lines.names)


def _refuse_other_formats(page: bytes) -> None:
    start = page[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        raise ExpositionError("HTML page, not metrics: is this the right path?", PageKind.HTML)
    if start.startswith((b"{", b"[")):
        raise ExpositionError("JSON, not metrics: is this the right path?", PageKind.JSON)
    if page and not page.endswith(b"\n"):
        raise ExpositionError("page is cut off: its last line has no end")  # "1744" cut to "17" would be a misread


def label_block(name: str, line: str) -> tuple[dict[str, str], int]:
    """The clean labels of a series line that begins with `name`, and where they end: its value follows there.

    Raises ValueError with what is wrong.
    """
    labels: dict[str, str] = {}
    position = len(name)
    if line[position:].lstrip(" \t").startswith("{"):
        position = line.index("{") + 1
        while match := _LABEL.match(line, position):
            label, value = match.groups()
            if label in labels:
                raise ValueError("the same label twice")
            if "\\" in value:  # an unknown escape stays as it is, as in Prometheus itself
                value = _ESCAPE.sub(lambda escape: _ESCAPED[escape[0]], value)
            labels[label] = clean_label(value)
            position = match.end()
        if line[position : position + 1] != "}":
            raise ValueError("labels cannot be read")
        position += 1
    return labels, position


def _value(text: str) -> float:
    """The value in what follows the labels. Raises ValueError with what is wrong."""
    numbers = text.partition(" # {")[0]  # an exemplar: OpenMetrics only, but some send it unasked
    fields = numbers.split()
    if not fields or len(fields) > 2:
        raise ValueError("needs a value and at most a timestamp")
    if len(fields) == 2:
        _number(fields[1])
    return _number(fields[0])


def _number(text: str) -> float:
    # float() also takes "1_000" and digits of other scripts, which the format does not have.
    if "_" in text or not text.isascii():
        raise ValueError("value is not a number")
    try:
        return float(text)
    except ValueError:
        raise ValueError("value is not a number") from None


def _malformed(number: int, line: str, problem: str) -> ExpositionError:
    """With the line's first word: what follows changes with every page, and every change of a text is kept."""
    return ExpositionError(f"line {number + 1}: {problem}: {clean_label(line.partition('{')[0].partition(' ')[0], 60)}")
