"""The language of `/`: what its words keep, and what it says of words that cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, GPUS, gpu
from tokwatch.dashboard.arrange.fields import ASKED
from tokwatch.dashboard.arrange.filter import LANGUAGE, FilterError, parse
from tokwatch.dashboard.arrange.site import Site
from tokwatch.ledger.money.shapes import DeploymentRow, Economy
from tokwatch.ledger.snapshot import Figure, GpuRow

SITE = Site(BOX)
EIGHT = {0, 1, 2, 3, 4, 5, 6, 7}
PIECES = st.sampled_from([*'-!:"<>=, .%09$k/', *"aeiou", *ASKED, "state:", "gpu:", "idle"])
TEXTS = st.lists(PIECES).map("".join) | st.text()


def kept(text: str, *rows: GpuRow) -> set[int]:
    """Numbers of the GPUs that stay; of the box unless others are given."""
    found = parse(text)
    return {row.index for row in rows or GPUS if found.keeps(row, SITE)}


@pytest.mark.parametrize(
    ("text", "stay"),
    [
        ("", EIGHT),
        ("llama", {5, 6}),
        ("LLAMA", {5, 6}),
        ("dgx-03", EIGHT),
        ("h100", EIGHT),
        ("gpu-4", {4}),  # a UUID
        ("free", {7}),  # as the screen calls it
        ("unallocated", {7}),  # as the state is called
        ("3", {3}),  # the number, not each name with a 3 in it
        ("idle", {6, 7}),
        ("-idle", EIGHT - {6, 7}),
        ("!idle", EIGHT - {6, 7}),
        ("state:parked,free", {6, 7}),
        ("state:idle", {6, 7}),
        ("model:qwen", {0, 1, 2, 3}),
        ("-model:qwen -idle", {4, 5}),
        ("host:dgx", EIGHT),
        ("host:other", set()),
        ("gpu:3-5", {3, 4, 5}),
        ("gpu:0-1,7", {0, 1, 7}),
        ("deployment:gpt", {4}),
        ('"qwen3-32b tp4"', {0, 1, 2, 3}),
        ('"qwen3-32b t', {0, 1, 2, 3}),  # while it is typed
        ("llama3:8b", set()),  # a model's own colon
        ("power>500", EIGHT - {6, 7}),
        ("power > 0.6kW", {0, 2, 3, 4}),
        ("power>90%", {4}),  # of its limit
        ("temp>=63", {2, 4}),
        ("tok/s<10", {6}),  # not GPU 7, of which it is not known
        ("-tok/s>=10", {6}),  # nor by the opposite
        ("idle$>$5", {5, 6, 7}),
        ("$/m>1", {6}),  # cost without tokens is above every price
        ("mem>70", {0, 1, 2, 3, 4}),
        ("mem>90%", {4}),
        ("util<0.2", set()),
        ("util>50", EIGHT),  # nobody means 50 times all of it
        ("util>50%", EIGHT),
        ("for>1h", {0, 1, 2, 3, 5, 7}),
        ("idle for>1h", {7}),
    ],
)
def test_a_filter_keeps_what_meets_all_its_words(text: str, stay: set[int]) -> None:
    assert kept(text) == stay


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("power>", "power > how much? a number, with w kw % behind it or not"),
        ("power>lots", "power > lots is no number: a number, with w kw % behind it or not"),
        ("power>5mb", "power > 5 has no unit mb: w kw %"),
        ("for>1", "for > 1 of what: s m min h d"),
        ("speed>3", "no figure is called speed: for tok/s"),
        ("state=free", "state is no figure: state:free"),
        ("gpu!=3", "gpu is no figure: -gpu:3"),
        ("model=", "model is no figure: model:…"),
        (">3", "which figure?: for tok/s"),
        ("gpu:a", "gpu: a is no number: as in 3, 0-3 or 0-3,6"),
        ("state:", "state: which?"),
        ("idle -", "not what? a word behind the - or !"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(FilterError) as told:
        parse(text)
    assert str(told.value).startswith(words)


def test_idle_is_only_what_is_sure_to_be() -> None:
    assert kept("idle", replace(GPUS[6], confirmed=False)) == set()


def test_a_deployments_own_name_is_found() -> None:
    row = DeploymentRow("a", "chat", ("m",), (2,), (0, 1), shared=False, economy=Economy())
    site = Site(replace(BOX, deployments=(row,)))
    found = parse("deployment:chat")
    assert [row.index for row in GPUS if found.keeps(row, site)] == [0, 1]


@pytest.mark.parametrize("name", [name for name in ASKED if name != "for"])
def test_an_unknown_figure_meets_no_comparison(name: str) -> None:
    unknown = gpu(0, **{ASKED[name].figure: Figure(None, "unsupported")})
    texts = [f"{sign}{name}{comparison}1" for sign in ("", "-") for comparison in ("<", ">", "<=", ">=", "=", "!=")]
    assert [text for text in texts if kept(text, unknown)] == []


@given(TEXTS)
def test_no_text_does_more_than_keep_rows_or_say_why_not(text: str) -> None:
    try:
        found = parse(text)
    except FilterError:
        return
    assert all(isinstance(found.keeps(row, SITE), bool) for row in GPUS)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789.", min_size=1))
def test_not_a_word_keeps_the_other_rows(word: str) -> None:
    assert kept(f"-{word}") == EIGHT - kept(word)


@pytest.mark.parametrize("example", [example for example, _ in LANGUAGE])
def test_every_example_of_the_help_can_be_read(example: str) -> None:
    assert parse(example)
