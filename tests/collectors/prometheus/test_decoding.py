"""What a reply becomes: the same numbers as json's, labels that are shared, and nothing hostile in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.labels import clean_label
from collectors.prometheus.decoding import MAX_LABELS, LabelSets, NoReply, matrix, texts, vector
from tests.collectors.prometheus.answering import reply, vector_reply

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LABELS = st.dictionaries(NAMES, TEXTS, max_size=4)
# As Go writes a float64: the shortest that reads back, or one of its three words.
NUMBERS = st.one_of(st.floats().map(repr), st.integers().map(str), st.sampled_from(["NaN", "+Inf", "-Inf", "1e+09"]))
TIMES = st.integers(0, 2**41).map(lambda at_ms: at_ms / 1000)


def same(ours: Sequence[float], theirs: Sequence[str]) -> bool:
    return [repr(value) for value in ours] == [repr(float(text)) for text in theirs]


def cleaned(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: clean_label(value) for name, value in labels.items()}


@given(st.lists(st.tuples(LABELS, NUMBERS), max_size=6), TIMES, st.booleans())
@example([({"a": "\x1b]0;evil\x07"}, "+Inf")], 0.0, False)
@example([({"a": "é\U0001f600\u2028"}, "1e400")], 0.0, True)
def test_a_vector_is_what_json_reads(series: list[tuple[dict[str, str], str]], at_s: float, ascii_only: bool) -> None:
    body = json.dumps(json.loads(vector_reply(series, at_s)), ensure_ascii=ascii_only).encode()
    told = vector(body, LabelSets(), at_s)
    assert told.labels == tuple(cleaned(labels) for labels, _ in series)
    assert same(told.values, [value for _, value in series])
    assert told.at_s == at_s


@given(st.lists(st.tuples(LABELS, st.lists(st.tuples(TIMES, NUMBERS), min_size=1, max_size=5)), max_size=4))
def test_a_matrix_is_what_json_reads(rows: list[tuple[dict[str, str], list[tuple[float, str]]]]) -> None:
    told = matrix(reply("matrix", [{"metric": labels, "values": values} for labels, values in rows]), LabelSets())
    assert told.labels == tuple(cleaned(labels) for labels, _ in rows)
    assert told.times_s == tuple(tuple(at_s for at_s, _ in values) for _, values in rows)
    assert all(same(ours, [text for _, text in values]) for ours, (_, values) in zip(told.values, rows, strict=True))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply_or_are_told_to_be_none(body: bytes) -> None:
    for read in (lambda: vector(body, LabelSets(), 0.0), lambda: matrix(body, LabelSets()), lambda: texts(body)):
        try:
            read()
        except NoReply:
            continue


@pytest.mark.parametrize("before", [b"", b'{"data":', b'{"a":', b'{"data":{"resultType":"vector","result":'])
def test_brackets_without_end_are_no_reply(before: bytes) -> None:
    with pytest.raises(NoReply):
        vector(before + b"[" * 200_000, LabelSets(), 0.0)


def test_nan_and_infinities_come_as_they_are() -> None:
    told = vector(vector_reply([({"a": "1"}, "NaN"), ({"a": "2"}, "+Inf"), ({"a": "3"}, "-Inf")]), LabelSets(), 0.0)
    assert math.isnan(told.values[0])
    assert told.values[1:] == (math.inf, -math.inf)


def test_a_scalar_is_a_vector_of_one_series_without_labels() -> None:
    told = vector(reply("scalar", [12.5, "7"]), LabelSets(), 0.0)
    assert (told.labels, told.values, told.at_s) == (({},), (7.0,), 12.5)


def test_where_nothing_is_found_the_instant_is_the_one_that_was_asked_for() -> None:
    told = vector(vector_reply([]), LabelSets(), 99.5)
    assert (told.labels, told.values, told.at_s) == ((), (), 99.5)


def test_equal_label_sets_are_one_object_in_all_answers() -> None:
    sets = LabelSets()
    once = vector(vector_reply([({"host": "a", "gpu": "0"}, "1"), ({"host": "a", "gpu": "1"}, "2")]), sets, 0.0)
    again = vector(vector_reply([({"host": "a", "gpu": "1"}, "3"), ({"gpu": "0", "host": "a"}, "4")]), sets, 0.0)
    ranged = matrix(reply("matrix", [{"metric": {"host": "a", "gpu": "0"}, "values": [[1, "1"]]}]), sets)
    assert once.labels[0] is again.labels[1] is ranged.labels[0]
    assert once.labels[1] is again.labels[0]


def test_labels_that_differ_only_in_what_cleaning_takes_out_are_one_set() -> None:
    told = vector(vector_reply([({"host": "a\x01"}, "1"), ({"host": "a\x02"}, "2")]), LabelSets(), 0.0)
    assert told.labels[0] is told.labels[1]
    assert told.labels[0] == {"host": "a\ufffd"}


def test_of_a_label_that_comes_twice_the_last_counts() -> None:
    body = b'{"data":{"resultType":"vector","result":[{"metric":{"a":"1","a":"2"},"value":[1,"5"]}]}}'
    assert vector(body, LabelSets(), 0.0).labels == ({"a": "2"},)


def test_a_long_label_is_cut_and_a_thousand_labels_are_refused() -> None:
    (labels,) = vector(vector_reply([({"a": "x" * 10_000}, "1")]), LabelSets(), 0.0).labels
    assert len(labels["a"]) == 256
    many = {f"l{i}": "" for i in range(MAX_LABELS + 1)}
    with pytest.raises(NoReply, match="129 labels"):
        vector(vector_reply([(many, "1")]), LabelSets(), 0.0)


def test_label_sets_are_forgotten_before_they_fill_the_memory() -> None:
    sets = LabelSets(max_bytes=1000)
    for i in range(500):
        vector(vector_reply([({"host": f"host-{i}"}, "1")]), sets, 0.0)
    assert sets.kept_bytes <= 1000
    first = vector(vector_reply([({"host": "host-499"}, "1")]), sets, 0.0)
    assert first.labels == ({"host": "host-499"},)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (reply("matrix", [{"metric": {}, "values": [[1, "2"]]}]), r"a matrix and no vector.*\[\.\.\.\]"),
        (reply("string", [1, "text"]), "a string and no vector"),
        (vector_reply([({}, "five")]), "a sample is no number"),
        (reply("vector", [{"metric": {}, "value": ["NaN", "1"]}]), "a sample has no time"),
        (reply("vector", [{"metric": {"a": 1}, "value": [1, "1"]}]), "labels"),
        (reply("vector", [{"metric": [], "value": [1, "1"]}]), "labels"),
        (reply("vector", "text"), "Expected `array`"),
    ],
)
def test_a_reply_of_another_kind_is_told_to_be_one(body: bytes, told: str) -> None:
    with pytest.raises(NoReply, match=told):
        vector(body, LabelSets(), 0.0)


def test_times_that_are_no_numbers_are_refused_in_ranges_too() -> None:
    with pytest.raises(NoReply, match="no time"):
        matrix(reply("matrix", [{"metric": {}, "values": [[1, "2"], ["nan", "2"]]}]), LabelSets())


def test_native_histograms_are_left_out_and_told() -> None:
    histogram: list[Any] = [{"metric": {"a": "h"}, "histogram": [1, {"count": "1"}]}]
    told = vector(reply("vector", [*histogram, {"metric": {"a": "v"}, "value": [1, "2"]}]), LabelSets(), 0.0)
    assert (told.labels, told.values) == (({"a": "v"},), (2.0,))
    assert told.warnings == ("1 native histograms were left out",)
