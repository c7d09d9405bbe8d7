"""Which command lines mean the dashboard, and that they are read as the command line's parser reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.cli import make_parser
from tokwatch.commands.live import options_of
from tokwatch.first_sight.words import FLAGS, VALUED, dashboard_options

_VALUES = {"--store": ["a.db", "~/b"], "--config": ["c.toml"], "--price": ["2", "2.35"], "--theme": ["light"]}


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "once",
        "record --store x",
        "--store x replay",
        "--store",
        "--store --ascii",
        "--price two",
        "--price 20000",
        "--price nan",
        "--asci",
        "--ascii=yes",
        "--json",
        "-h",
        "x",
    ],
)
def test_what_is_another_command_or_a_mistake_is_left_to_the_parser(line: str) -> None:
    assert dashboard_options(line.split()) is None


def _option(name: str) -> st.SearchStrategy[list[str]]:
    values = st.sampled_from(_VALUES[name])
    return st.one_of(values.map(lambda value: [name, value]), values.map(lambda value: [f"{name}={value}"]))


@given(
    st.lists(
        st.one_of(st.sampled_from(FLAGS).map(lambda flag: [flag]), st.sampled_from(VALUED).flatmap(_option)), max_size=5
    )
)
def test_what_first_sight_takes_for_the_dashboard_is_read_as_the_parser_reads_it(parts: list[list[str]]) -> None:
    words = [word for part in parts for word in part]
    said = dashboard_options(words)
    assert said is not None
    parsed = vars(make_parser().parse_args(words))
    parsed.pop("print_completion", None)  # where the extra `completion` is installed
    fleets = [
        parsed.pop(name) for name in ("prometheus", "selector", "host", "hosts", "targets", "yes")
    ]  # first sight is of a box
    assert not any(fleets)
    assert vars(options_of(said)) == parsed
