"""What the parser reads from a page, what it refuses, and that it agrees with prometheus_client."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from collectors.exposition import (
    MAX_LINES,
    MAX_SAMPLES,
    ExpositionError,
    PageKind,
    SeriesLabels,
    names_on,
    parse,
    parse_lines,
    split,
)
from collectors.labels import clean_label

PAGES = sorted((Path(__file__).parents[1] / "pages").glob("*.prom"))

Series = tuple[str, tuple[tuple[str, str], ...]]


class Everything:
    """A wanted filter that wants every name."""

    def __contains__(self, name: object) -> bool:
        return True


def ours(page: bytes) -> dict[Series, str]:
    metrics = parse(page, Everything())
    return {
        (series.name, tuple(sorted(series.labels.items()))): repr(value)
        for series, value in zip(metrics.series, metrics.values, strict=True)
    }


def oracle(page: bytes) -> dict[Series, str]:
    """The same by prometheus_client, which adds `_total` to the samples of counters that lack it."""
    found: dict[Series, str] = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            name = sample.name
            if family.type == "counter" and name not in names_on(page):
                name = name.removesuffix("_total")
            labels = tuple(sorted((label, clean_label(value)) for label, value in sample.labels.items()))
            found[name, labels] = repr(float(sample.value))
    return found


def one(line: str) -> tuple[dict[str, str], float]:
    """(labels, value) of a page of one series."""
    metrics = parse(line.encode() + b"\n", Everything())
    (series,), (value,) = metrics.series, metrics.values
    return series.labels, value


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_real_page_is_read_as_the_reference_parser_reads_it(path: Path) -> None:
    page = path.read_bytes()
    assert ours(page) == oracle(page)


# --- generated pages ----------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,5}", fullmatch=True)
LABEL_VALUES = st.text(st.sampled_from('aZ9 _:.,=#{}"\\\né模🦙\u200b'), max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")) | st.sampled_from('\\"\n'))
VALUES = st.one_of(
    st.sampled_from(["NaN", "+Inf", "-Inf", "0", "1e+06", "1.09497e+06", "9223372036854775794"]),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    labels = draw(st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=3))
    comma = draw(st.sampled_from([",", ", "]))
    written = [
        '{}="{}"'.format(name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n"))
        for name, value in labels.items()
    ]
    block = "{" + comma.join(written) + "}" if labels else draw(st.sampled_from(["", "{}"]))
    timestamp = draw(st.one_of(st.just(""), st.integers(0, 2**42).map(lambda ms: f" {ms}")))
    return f"{draw(NAMES)}{block} {draw(VALUES)}{timestamp}"


@given(
    st.lists(lines(), max_size=6, unique_by=lambda line: line.split("{")[0].split()[0]), st.sampled_from(["\n", "\r\n"])
)
def test_a_generated_page_is_read_as_the_reference_parser_reads_it(page_lines: list[str], end: str) -> None:
    page = "".join(line + end for line in page_lines).encode()
    assert ours(page) == oracle(page)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_but_never_crash(page: bytes) -> None:
    with contextlib.suppress(ExpositionError):
        parse(page, Everything())


# --- single lines -------------------------------------------------------------------------------------------------


def test_only_wanted_series_are_read_in_page_order_with_the_numbers_of_their_lines() -> None:
    page = b'# TYPE b counter\nb_total{x="2"} 2\na 1\n\nb 3\nb_total{x="1"} 4\nb_total_x 5\n'
    metrics = parse(page, {"b_total", "b"})
    assert metrics.series == (
        SeriesLabels("b_total", {"x": "2"}),
        SeriesLabels("b", {}),
        SeriesLabels("b_total", {"x": "1"}),
    )
    assert metrics.values == (2.0, 3.0, 4.0)
    assert metrics.lines == (1, 4, 5)


def test_the_names_are_those_of_all_series() -> None:
    page = b"a 1\nb_total 2\nb 3\nb_total_x 4\n"
    assert parse(page, {"b_total"}).names == names_on(page) == {"a", "b_total", "b", "b_total_x"}


def test_a_page_can_be_split_first_and_parsed_when_its_names_are_known() -> None:
    page = b"a 1\nb 2\n"
    lines = split(page)
    assert lines.names == {"a", "b"}
    assert parse_lines(lines, {"b"}) == parse(page, {"b"})


def test_a_page_without_wanted_series_has_none() -> None:
    for page in (b"", b"# TYPE a counter\n", b"b 1\n"):
        assert parse(page, {"a"}).series == ()


def test_comments_and_repeated_type_lines_do_not_matter() -> None:
    page = b"# TYPE a counter\na 1\n# TYPE a counter\n# whatever\n\n  # EOF\n"
    assert ours(page) == {("a", ()): "1.0"}


def test_escapes_are_undone_and_unknown_ones_kept() -> None:
    assert one(r'a{x="q\"b\\s\xz"} 1')[0] == {"x": r'q"b\s\xz'}


def test_a_label_value_may_hold_braces_commas_and_hashes() -> None:
    assert one('a{x="}, # {y=",z="1"} 1')[0] == {"x": "}, # {y=", "z": "1"}


def test_label_values_come_out_clean() -> None:
    assert one('a{x="evil\x1b]0;\x9b\u202e"} 1')[0] == {"x": "evil\ufffd]0;\ufffd\ufffd"}


@pytest.mark.parametrize(
    "line", ['a{x="1"} 7 # {trace_id="b"} 0.5 1.2', 'a{x="1",} 7 1795198512000', 'a {x="1"}7', 'a{ x = "1" }\t7']
)
def test_exemplars_timestamps_and_odd_blanks_are_stepped_over(line: str) -> None:
    assert one(line) == ({"x": "1"}, 7.0)


def test_an_exemplar_on_a_series_without_labels_is_stepped_over() -> None:
    assert one('a_total 7 # {trace_id="b"} 0.5') == ({}, 7.0)


@pytest.mark.parametrize(("text", "value"), [("+Inf", math.inf), ("-Inf", -math.inf), ("1e3", 1000.0)])
def test_values_of_all_spellings_are_read(text: str, value: float) -> None:
    assert one(f"a {text}") == ({}, value)


def test_nan_is_read_as_nan() -> None:
    assert math.isnan(one("a NaN")[1])


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a ",
        "a{} ",
        "a x",
        "a 1_000",
        "a ١",
        "a 1 2 3",
        "a 1 x",
        'a{x="1} 2',
        "a{x=1} 2",
        'a{x="1" y="2"} 3',
        'a{x="1",x="2"} 3',
        'a{,x="1"} 3',
        'a{x="1"',
        "a{9x='1'} 1",
        "9a 1",
        "a-b 1",
        "== 1",
        'a{x="1"} 1 # exemplar',
    ],
)
def test_a_line_that_cannot_be_read_fails_the_page_and_is_named(line: str) -> None:
    with pytest.raises(ExpositionError, match=r"^line 2: ") as error:
        parse(f"b 1\n{line}\n".encode(), Everything())
    assert error.value.kind is PageKind.MALFORMED


def test_the_same_series_twice_fails_the_page() -> None:
    with pytest.raises(ExpositionError, match="line 2: the same series twice"):
        parse(b'a{x="1"} 1\na{x="1"} 2\n', {"a"})


def test_a_page_cut_inside_a_number_is_not_read_as_a_smaller_number() -> None:
    with pytest.raises(ExpositionError, match="cut off"):
        parse(b"a 17", {"a"})


def test_an_excerpt_in_an_error_is_short_and_clean() -> None:
    with pytest.raises(ExpositionError) as error:
        parse(b"\x1b[2J" + b"x" * 10_000 + b"\n", Everything())
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 150


# --- other formats and floods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (b"<!DOCTYPE html><html>", PageKind.HTML),
        (b"\xef\xbb\xbf\r\n <html>\n", PageKind.HTML),
        (b'[{"iter": 1}]', PageKind.JSON),
        (b'{"object": "list"}', PageKind.JSON),
    ],
)
def test_html_and_json_are_told_apart_from_a_broken_page(page: bytes, kind: PageKind) -> None:
    for read in (names_on, lambda page: parse(page, Everything())):
        with pytest.raises(ExpositionError, match="not metrics") as error:
            read(page)
        assert error.value.kind is kind


def test_a_flood_of_unwanted_series_does_not_hide_the_wanted_one() -> None:
    flood = b"".join(b'a{x="%d"} 1\n' % number for number in range(100_000))
    assert parse(flood + b"b 2\n", {"b"}).values == (2.0,)


def test_too_many_lines_or_wanted_series_are_refused() -> None:
    with pytest.raises(ExpositionError, match="lines") as error:
        parse(b"a 1\n" * (MAX_LINES + 1), {"b"})
    assert error.value.kind is PageKind.TOO_LONG
    with pytest.raises(ExpositionError, match="series") as error:
        parse(b"".join(b'a{x="%d"} 1\n' % number for number in range(MAX_SAMPLES + 1)), {"a"})
    assert error.value.kind is PageKind.TOO_LONG


def test_what_is_said_of_a_broken_line_does_not_change_with_its_value() -> None:
    """Every change of it would be kept as news."""
    problems = set()
    for value in ("1 2 3", "4 5 6"):
        with pytest.raises(ExpositionError) as error:
            parse(f'a_total{{x="1"}} {value}\n'.encode(), Everything())
        problems.add(str(error.value))
    assert len(problems) == 1
