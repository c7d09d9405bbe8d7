"""What engines counted, divided as their gateway saw it: parts are the count, and a tenant's is what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.showback import NOBODYS, Counts, Division, Whose, divide, models_behind

A, B = Whose("team-a", ""), Whose("team-b", "batch")


def whole(division: Division, number: str) -> dict[Whose, int]:
    """Over all stretches."""
    columns = zip(*(getattr(stretch, number) for stretch in division.stretches), strict=True)
    return {whose: sum(column) for whose, column in zip(division.whose, columns, strict=True)}


def once(counted: Counts, seen: Mapping[Whose, Counts], number: str = "output") -> dict[Whose, int]:
    return whole(divide([counted], [seen]), number)


@pytest.mark.parametrize(
    ("gateway", "counted", "found"),
    [
        (["qwen"], ["qwen", "llama"], {"qwen": "qwen"}),
        (["Qwen3-32B"], ["Qwen/qwen3-32b", "llama"], {"Qwen3-32B": "Qwen/qwen3-32b"}),
        (["openai/tiny", "tiny"], ["tiny"], {"openai/tiny": "tiny", "tiny": "tiny"}),
        (["gpt-4"], ["Qwen/Qwen3-32B"], {"gpt-4": "Qwen/Qwen3-32B"}),  # nothing else it could be
        (["gpt-4", "llama"], ["qwen", "llama"], {"gpt-4": "qwen", "llama": "llama"}),
        (["gpt-4", "o1"], ["qwen"], {}),
        (["gpt-4"], ["qwen", "llama"], {}),
        (["qwen"], ["a/qwen", "b/qwen"], {}),
        (["gpt-4"], [], {}),
    ],
)
def test_a_gateways_model_is_the_one_counted_under_its_name_or_the_only_one_left(
    gateway: list[str], counted: list[str], found: dict[str, str]
) -> None:
    assert models_behind(gateway, counted) == found


def test_what_went_around_the_gateway_is_nobodys() -> None:
    seen = {A: Counts(output=600), B: Counts(output=100)}
    assert once(Counts(output=1000), seen) == {A: 600, B: 100, NOBODYS: 300}


def test_what_the_gateway_did_not_label_is_nobodys_too() -> None:
    seen = {A: Counts(output=600), NOBODYS: Counts(output=100)}
    assert once(Counts(output=1000), seen) == {A: 600, NOBODYS: 400}


def test_where_the_gateway_saw_more_its_counts_are_scaled() -> None:
    seen = {A: Counts(output=900), B: Counts(output=300), NOBODYS: Counts(output=300)}
    assert once(Counts(output=1000), seen) == {A: 600, B: 200, NOBODYS: 200}


def test_a_request_that_ends_after_an_edge_is_whole() -> None:
    division = divide(
        [Counts(output=900), Counts(output=100)],
        [{A: Counts(output=500)}, {A: Counts(output=100), B: Counts(output=400)}],
    )
    assert whole(division, "output") == {A: 600, B: 400, NOBODYS: 0}
    assert [sum(stretch.output) for stretch in division.stretches] == [900, 100]


def test_cached_tokens_are_the_gateways_own_where_it_knows_them() -> None:
    counted = Counts(prompt=1000, cached=400)
    seen = {A: Counts(prompt=500, cached=400), B: Counts(prompt=500, cached=0)}
    assert once(counted, seen, "cached") == {A: 400, B: 0, NOBODYS: 0}
    assert once(counted, seen, "uncached") == {A: 100, B: 500, NOBODYS: 0}


def test_cached_tokens_go_with_prompt_tokens_where_it_knows_none() -> None:
    counted = Counts(prompt=1000, cached=400)
    seen = {A: Counts(prompt=250), B: Counts(prompt=500)}
    assert once(counted, seen, "cached") == {A: 100, B: 200, NOBODYS: 100}
    assert once(counted, seen, "uncached") == {A: 150, B: 300, NOBODYS: 150}


def test_prompt_tokens_are_a_tenants_own_also_where_the_two_disagree_on_the_cache() -> None:
    seen = {A: Counts(prompt=500, cached=10), B: Counts(prompt=500, cached=0)}
    division = divide([Counts(prompt=1000, cached=400)], [seen])
    uncached, cached = whole(division, "uncached"), whole(division, "cached")
    assert {whose: uncached[whose] + cached[whose] for whose in uncached} == {A: 500, B: 500, NOBODYS: 0}


def test_requests_go_with_output_tokens_where_the_gateway_does_not_count_them() -> None:
    seen = {A: Counts(output=300), B: Counts(output=100)}
    assert once(Counts(output=400, finished=8), seen, "finished") == {A: 6, B: 2, NOBODYS: 0}
    counting = {A: Counts(output=300, finished=1), B: Counts(output=100, finished=7)}
    assert once(Counts(output=400, finished=8), counting, "finished") == {A: 1, B: 7, NOBODYS: 0}


def test_a_tenant_without_traffic_has_no_part() -> None:
    assert once(Counts(output=5), {A: Counts()}) == {NOBODYS: 5}


numbers = st.sampled_from([0, 1, 2, 3]) | st.integers(0, 10**12)
maybe = st.none() | numbers


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    prompt = draw(numbers)
    return Counts(prompt, draw(st.none() | st.integers(0, prompt)), draw(numbers), draw(maybe))


stretches = st.lists(st.tuples(counts(), st.dictionaries(st.sampled_from([A, B, NOBODYS]), counts())), max_size=5)


@given(stretches)
def test_parts_are_the_count_and_nobody_gets_more_than_was_seen(
    pairs: list[tuple[Counts, dict[Whose, Counts]]],
) -> None:
    counted, seen = [each for each, _ in pairs], [each for _, each in pairs]
    division = divide(counted, seen)
    for there, stretch in zip(counted, division.stretches, strict=True):
        cached = there.cached or 0
        assert [sum(parts) for parts in stretch] == [there.prompt - cached, cached, there.output, there.finished or 0]
        assert all(part >= 0 for parts in stretch for part in parts)
    prompt = {w: n + whole(division, "cached")[w] for w, n in whole(division, "uncached").items()} if pairs else {}
    for name, parts in (("prompt", prompt), ("output", whole(division, "output") if pairs else {})):
        wanted = {whose: sum(getattr(each.get(whose, Counts()), name) for each in seen) for whose in parts}
        there_is = sum(getattr(each, name) for each in counted)
        for whose in parts.keys() - {NOBODYS}:
            assert parts[whose] <= wanted[whose]
            if sum(wanted.values()) <= there_is:
                assert parts[whose] == wanted[whose]
        if sum(wanted.values()) >= there_is:
            assert all(abs(parts[w] - wanted[w]) <= sum(wanted.values()) - there_is for w in parts)
