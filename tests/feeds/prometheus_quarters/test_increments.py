"""Counters over quarter hours: what the server can subtract, and what has to be read sample by sample."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.feeds.prometheus_quarters.scripted_api import Labels, Points, ScriptedApi
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Asking, Stretch
from tokwatch.feeds.prometheus_quarters.increments import Found, of_series, of_thing
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.ledger.entries import Flag
from tokwatch.store.rollup import QUARTER_MS

TOKENS, ENERGY = Selector("tokens_total"), Selector("energy")
GROUP = promql.by("instance")
QUARTER = Stretch(9 * QUARTER_MS, 10 * QUARTER_MS)
START_S, END_S = QUARTER.start_ms / 1000, QUARTER.end_ms / 1000
A, B = {"instance": "a:1", "part": "0"}, {"instance": "a:1", "part": "1"}


def target(labels: Labels) -> str:
    return labels["instance"]


def found_of(api: ScriptedApi) -> Found[str]:
    return asyncio.run(of_series(Asking(api), TOKENS, GROUP, target, QUARTER))


def irregular(*labels: Labels) -> Mapping[str, list[tuple[Labels, Points]]]:
    return {promql.of_series(TOKENS, GROUP).irregular: [(each, [(END_S, 1.0)]) for each in labels]}


def test_regular_counters_are_subtracted_by_the_server() -> None:
    regular = {promql.of_series(TOKENS, GROUP).regular: [({"instance": "a:1"}, [(END_S, 70.0)])]}
    api = ScriptedApi(regular)
    assert found_of(api) == {("a:1", QUARTER.start_ms): (70.0, 0)}
    assert len(api.asked) == 2  # nothing is read sample by sample


def test_a_restarted_counter_is_read_beside_the_others_of_its_group() -> None:
    regular = {promql.of_series(TOKENS, GROUP).regular: [({"instance": "a:1"}, [(END_S, 70.0)])]}
    samples = {
        "tokens_total": [
            (A, [(START_S - 10, 500.0), (START_S + 5, 510.0), (START_S + 20, 4.0)]),
            (B, [(START_S - 10, 30.0), (START_S + 5, 100.0)]),  # regular: in the 70 already
        ]
    }
    found = found_of(ScriptedApi({**regular, **irregular(A)}, samples))
    assert found == {("a:1", QUARTER.start_ms): (70 + 10 + 4, Flag.RESET)}


def test_a_counter_that_comes_back_after_hours_goes_on_from_where_it_stood() -> None:
    samples = {"tokens_total": [(A, [(START_S - 7200, 500.0), (START_S + 5, 900.0)])]}
    assert found_of(ScriptedApi(irregular(A), samples)) == {("a:1", QUARTER.start_ms): (400, 0)}


def test_a_counter_that_appears_on_a_page_that_was_read_began_at_zero() -> None:
    samples = {
        "tokens_total": [(A, [(START_S + 30, 3.0), (START_S + 45, 5.0)])],
        "up": [({"instance": "a:1"}, [(START_S + 15, 1.0), (START_S + 30, 1.0), (START_S + 45, 1.0)])],
    }
    assert found_of(ScriptedApi(irregular(A), samples)) == {("a:1", QUARTER.start_ms): (5, 0)}


def test_a_page_that_could_not_be_read_before_says_nothing_of_where_a_counter_began() -> None:
    samples = {
        "tokens_total": [(A, [(START_S + 30, 300.0), (START_S + 45, 305.0)])],
        "up": [({"instance": "a:1"}, [(START_S + 15, 0.0), (START_S + 30, 1.0), (START_S + 45, 1.0)])],
    }
    assert found_of(ScriptedApi(irregular(A), samples)) == {("a:1", QUARTER.start_ms): (5, Flag.BASELINE)}


def test_a_new_label_in_the_scrape_configuration_earns_no_tokens() -> None:
    """Every series appears anew, with all that it counted, and so does `up`."""
    relabelled = {**A, "cluster": "oslo"}
    samples = {
        "tokens_total": [(relabelled, [(START_S + 30, 9e9), (START_S + 45, 9e9 + 5)])],
        "up": [
            ({"instance": "a:1"}, [(START_S, 1.0), (START_S + 15, 1.0)]),
            ({"instance": "a:1", "cluster": "oslo"}, [(START_S + 30, 1.0), (START_S + 45, 1.0)]),
        ],
    }
    found = found_of(ScriptedApi(irregular(relabelled), samples))
    assert found == {("a:1", QUARTER.start_ms): (5, Flag.BASELINE)}


def test_one_counter_under_changing_labels_goes_on() -> None:
    old, new = {"instance": "a:1", "gpu": "0", "pod": "x"}, {"instance": "a:1", "gpu": "0", "pod": "y"}
    query = promql.of_thing(ENERGY, GROUP).irregular
    api = ScriptedApi(
        {query: [({"instance": "a:1", "gpu": "0"}, [(END_S, 1.0)])]},
        {"energy": [(old, [(START_S - 5, 700.0), (START_S + 10, 710.0)]), (new, [(START_S + 25, 730.0)])]},
    )
    found = asyncio.run(of_thing(Asking(api), ENERGY, GROUP, lambda labels: labels["gpu"], QUARTER))
    assert found == {("0", QUARTER.start_ms): (30, 0)}


def test_a_busy_server_is_given_time() -> None:
    waited_s: list[float] = []

    async def sleep(seconds: float) -> None:
        waited_s.append(seconds)

    api = ScriptedApi(busy=2, warnings=("one store did not answer",))
    asking = Asking(api, sleep)
    asyncio.run(asking.quarters("x", QUARTER))
    assert waited_s == [2.0, 2.0]
    assert (asking.asked.queries, list(asking.asked.warnings)) == (3, ["one store did not answer"])
