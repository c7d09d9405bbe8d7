"""What of a view lasts beyond a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tokwatch.dashboard.arrange.choices import remembered_view, to_remember
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.filter import EVERYTHING, parse
from tokwatch.dashboard.arrange.view import GROUPINGS, Sort, View
from tokwatch.dashboard.layout import DEFAULT_COLUMNS, GPU_COLUMNS
from tokwatch.dashboard.remembered import Remembered

VIEWS = st.builds(
    View,
    sort=st.builds(Sort, st.sampled_from([key for key, field in FIELDS.items() if field.letter]), st.booleans()),
    group=st.sampled_from(GROUPINGS),
    columns=st.permutations(GPU_COLUMNS).map(lambda keys: tuple(keys[:7])),
)


@given(VIEWS)
def test_a_view_comes_back_as_it_was(view: View) -> None:
    assert remembered_view(Remembered(**to_remember(view))) == view


def test_a_filter_does_not_come_back() -> None:
    view = replace(View(), filter=parse("idle"))
    assert remembered_view(Remembered(**to_remember(view))).filter == EVERYTHING


def test_what_this_version_does_not_know_is_as_usual() -> None:
    strange = Remembered(sort="smell", group="colour", columns=("power", "smell", "power"))
    assert remembered_view(strange) == View(columns=("power",))
    assert remembered_view(Remembered(sort="spark")).sort == Sort()
    assert remembered_view(Remembered()).columns == DEFAULT_COLUMNS
