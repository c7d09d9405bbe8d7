"""Pages of one real engine as those of several: every engine is at another phase, and a missed page stays missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.history.trace import Trace


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """A page a second, but for second 3."""
    for second in (0, 1, 2, 4, 5, 6, 7):
        (tmp_path / f"{1_700_000_000_000 + second * 1000}.prom").write_bytes(b"page %d" % second)
    return Trace(tmp_path)


def test_the_first_engine_plays_the_trace_as_it_was(trace: Trace) -> None:
    assert [trace.between(0, 4, t_s - 1.0, t_s) for t_s in (1.0, 2.0, 3.0, 4.0)] == [
        (1.0, b"page 1"),
        (2.0, b"page 2"),
        None,
        (4.0, b"page 4"),
    ]


def test_another_engine_begins_further_on_and_goes_round(trace: Trace) -> None:
    found = [trace.between(1, 4, t_s - 1.0, t_s) for t_s in (4.0, 5.0, 6.0, 7.0)]
    assert found == [(4.0, b"page 6"), (5.0, b"page 7"), (6.0, b"page 0"), (7.0, b"page 1")]


def test_a_directory_without_pages_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no <Unix ms>\.prom"):
        Trace(tmp_path)
