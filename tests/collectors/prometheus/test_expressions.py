"""PromQL as text. What a server makes of it is asked of real ones in tests/feeds/fleet/test_prometheus_past.py."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.expressions import (
    FIGURE,
    Ask,
    any_of,
    constant,
    duration,
    either,
    increment,
    matches,
    packed,
    quoted,
    scaled,
    selector,
)


@given(st.text())
def test_a_quoted_text_reads_back_as_it_was(text: str) -> None:
    assert json.loads(quoted(text)) == text


@given(st.lists(st.text(st.characters(codec="ascii")), min_size=1, max_size=5), st.text())
def test_a_pattern_matches_the_values_it_was_made_of_and_nothing_else(values: list[str], other: str) -> None:
    pattern = re.compile(any_of(values), re.DOTALL)
    assert all(pattern.fullmatch(value) for value in values)
    assert bool(pattern.fullmatch(other)) == (other in values)


def test_a_selector_of_one_name_is_the_name() -> None:
    assert selector("up") == "up"
    assert selector("vllm:x", 'a="b"', 'c="d"') == 'vllm:x{a="b",c="d"}'


def test_a_selector_of_several_names_matches_them_by_name() -> None:
    assert selector(["b", "a", "b"], 'c="d"') == '{__name__=~"a|b",c="d"}'


@pytest.mark.parametrize("name", ["", "a b", "a}", 'a"', "1a", "µ"])
def test_what_is_no_metric_name_never_gets_into_a_query(name: str) -> None:
    with pytest.raises(ValueError, match="a metric name is"):
        selector(name)


def test_a_matcher_takes_a_set_of_values_or_all_others() -> None:
    assert matches("why", {"stop", "le.gth"}) == 'why=~"le\\\\.gth|stop"'
    assert matches("why", {"error", ""}, others=True) == 'why!~"|error"'


@pytest.mark.parametrize(("seconds", "text"), [(60, "60s"), (1, "1s"), (0.5, "500ms"), (1.5, "1500ms"), (0, "1s")])
def test_durations_are_whole(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_scale_of_one_is_left_out() -> None:
    assert scaled("x", 1.0) == "x"
    assert scaled("x", 0.01) == "(x)*0.01"


def test_the_first_of_several_answers_counts_for_each_label_set_or_for_each_host() -> None:
    assert either(["a"]) == "a"
    assert either(["a", "b"]) == "(a) or (b)"
    assert either(["a", "b"], "tw_host") == "(a) or on(tw_host) (b)"


def test_a_dollar_in_a_label_is_no_reference() -> None:
    assert constant("x", "l", "a$1") == 'label_replace(x,"l","a$$1","","")'


def test_an_increment_is_a_difference_of_samples_and_increase_only_where_there_is_none() -> None:
    assert increment("c", 60, 15) == (
        "((c - (c offset 60s or min_over_time(c[60s])) >= 0) unless resets(c[90s]) > 0) or increase(c[60s])"
    )


def test_figures_are_packed_into_few_queries_and_told_apart() -> None:
    first, second = packed([Ask("a", "x" * 40), Ask("b", "y" * 40), Ask("c", "z")], limit=160)
    assert first == f"{constant('x' * 40, FIGURE, 'a')} or {constant('y' * 40, FIGURE, 'b')}"
    assert second == constant("z", FIGURE, "c")


@given(st.lists(st.integers(1, 200), max_size=20), st.integers(100, 400))
def test_no_query_is_longer_than_the_limit_if_no_figure_is(lengths: list[int], limit: int) -> None:
    asks = [Ask(str(place), "x" * length) for place, length in enumerate(lengths)]
    alone = [len(query) for ask in asks for query in packed([ask])]
    queries = packed(asks, limit)
    assert all(len(query) <= max(limit, *alone, 0) for query in queries)
    assert sum(query.count(FIGURE) for query in queries) == len(asks)
