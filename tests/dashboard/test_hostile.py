"""Whatever the data says: only Textual's own sequences reach a terminal, no action runs, files stay in their place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.answers import ANSWERS
from tests.dashboard.hostile import HOSTILE, OWN, answer_type, hostile_box, hostile_marks, texts_filled_by_type
from tests.dashboard.hostile_walk import CHOICES, PROMPTS, SCREENS, Seen
from tests.dashboard.poison import Poison, text_fields, texts_in
from tests.dashboard.sequences import NO_TEXT, OF_TEXTUAL, copied, kind_of, split
from tests.dashboard.terminal import terminal
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.screens.registry import TABS
from tokwatch.dashboard.theme import Look
from tokwatch.first_sight.kept import decode
from tokwatch.first_sight.paint import paint
from tokwatch.ledger.snapshot import Snapshot

_FOLDER = "[@click=app.attacked]\x1b]0;evil\x07\u202e\u200b"
_ALLOWED = re.compile(
    r"(?:work/[^/]*/tokwatch-[A-Za-z0-9._-]+\.(?:svg|csv)|state/tokwatch/(?:copies/tokwatch-.*|view\.json))"
)


@dataclass(frozen=True)
class Walked:
    """What one walk left behind."""

    seen: Seen
    sequences: list[str]
    text: str
    exit_code: int
    files: dict[str, Path]  # by their place below the folder that everything was in


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """One walk over everything, on a real terminal, in a folder whose name attacks too."""
    top = tmp_path_factory.mktemp("hostile")
    folder = top / "work" / _FOLDER
    own = {Path("config/keys.toml"): "".join(f"{json.dumps(text)} = 'x'\n" for text in HOSTILE if text.isprintable())}
    own[Path(f"config/themes/{_FOLDER}.toml")] = "text = 1"
    for path, text in own.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    folder.mkdir(parents=True)
    places = {"HOME": "home", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "home", "TMPDIR": "home"}
    environment = {name: str(top / place) for name, place in places.items()}
    (top / "home").mkdir()
    with terminal("hostile walk", 120, 40, (f"in={folder}",), environment) as user:
        sent = user.read_until("=walked", limit_s=60)
        sent += user.read(0.1)
        exit_code = user.process.wait(timeout=10)
    told, _, after = sent.partition(b"walked=")
    report, _, _ = after.partition(b"=walked")
    files = {str(path.relative_to(top)): path for path in top.rglob("*") if path.is_file()}
    sequences, text = split(told.decode())
    return Walked(
        Seen(**json.loads(report)),
        sequences,
        text,
        exit_code,
        {name: path for name, path in files.items() if Path(name) not in own},
    )


def test_every_text_of_a_snapshot_is_hostile() -> None:
    assert set(texts_in(msgspec.to_builtins(hostile_box()))) == set(HOSTILE)


def test_every_field_that_can_hold_a_text_is_reached() -> None:
    poison = Poison(HOSTILE)
    poison.within(hostile_box())
    assert poison.filled == text_fields(Snapshot)


@pytest.mark.parametrize("question", ANSWERS)
def test_every_text_of_an_answer_is_reached(question: type[object]) -> None:
    assert texts_filled_by_type(question) == text_fields(answer_type(question)) - OWN


def test_every_kind_of_mark_attacks_with_everything() -> None:
    assert {(mark.kind, mark.words) for mark in hostile_marks()} >= {
        (kind, text) for kind in ("alert", "price") for text in HOSTILE
    }


def test_the_walk_visits_every_screen_and_prompt(walked: Walked) -> None:
    visited = " ".join(walked.seen.visited)
    assert [name for name in (*SCREENS, *CHOICES, *PROMPTS, *(tab.name for tab in TABS)) if name not in visited] == []


def test_only_sequences_that_textual_makes_come_out(walked: Walked) -> None:
    assert {each for each in walked.sequences if kind_of(each) is None} == set()
    assert set(OF_TEXTUAL) == {kind_of(each) for each in walked.sequences}, "the list is longer than it must be"


def test_the_text_between_holds_nothing_that_a_terminal_acts_on(walked: Walked) -> None:
    assert NO_TEXT.findall(walked.text) == []


def test_hostile_text_is_shown_as_text(walked: Walked) -> None:
    for shown in ("[@click=app.attacked]x[/]", "[red]red[/red]", "模型模型", "\ufffd]0;evil\ufffd"):
        assert shown in walked.text


def test_no_action_fires_and_nothing_on_screen_would_fire_one(walked: Walked) -> None:
    assert walked.seen.attacks == []
    assert walked.seen.live_cells == []
    assert walked.exit_code == 1, "the walk ends it with a failure of its own"


def test_what_is_copied_acts_on_no_terminal_that_it_is_pasted_into(walked: Walked) -> None:
    texts = copied(walked.sequences)
    assert len(texts) >= 5
    for text in texts:
        assert NO_TEXT.findall(text.replace("\t", "")) == []


def test_files_are_written_where_they_belong_and_nowhere_else(walked: Walked) -> None:
    assert [name for name in walked.files if not _ALLOWED.fullmatch(name)] == []
    assert {path.suffix for path in walked.files.values()} >= {".svg", ".txt"}


def test_a_saved_picture_is_a_picture_and_no_program(walked: Walked) -> None:
    for path in (path for path in walked.files.values() if path.suffix == ".svg"):
        text = path.read_text(encoding="utf-8")
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert not tags & {"script", "image", "foreignObject", "a"}
        assert NO_TEXT.findall(text.replace("\t", "")) == []


def test_a_frame_kept_of_hostile_screens_paints_no_sequence_but_its_own(walked: Walked) -> None:
    assert walked.seen.kept
    for kept in walked.seen.kept:
        _assert_painted_harmlessly(paint(decode(kept), 120, 40, 2e9))


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=8), st.integers(1, 200), st.integers(1, 12))
def test_a_frame_from_a_hostile_store_paints_no_sequence_but_its_own(texts: list[str], width: int, height: int) -> None:
    rows = ["0\t" + text.replace("\t", " ").replace("\n", " ") for text in texts]
    head = f"1\t200\t{len(rows)}\t0\t40\t0\t0\t{HOSTILE[0]}\tlook"
    _assert_painted_harmlessly(paint(decode("\n".join((head, "38;5;1", *rows))), width, height, 2e9))


def _assert_painted_harmlessly(painted: str) -> None:
    sequences, text = split(painted)
    assert [each for each in sequences if not re.fullmatch(r"\x1b\[(?:[0-9;]*m|2J|\d+G|\d+;1H)", each)] == []
    assert NO_TEXT.findall(text) == []


_ANY_TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=5).map("".join)
_PUTS = st.lists(
    st.tuples(st.integers(-50, 210), _ANY_TEXT, st.none() | st.integers(-1, 200), st.booleans()), max_size=6
)


@given(st.integers(0, 200), _PUTS, st.booleans())
def test_a_line_is_exactly_as_wide_as_it_is_whatever_is_put_on_it(
    width: int, puts: list[tuple[int, str, int | None, bool]], ascii_only: bool
) -> None:
    line = Line(width, Look(ascii_only=ascii_only))
    for x, text, room, right in puts:
        line.put(x, text, width=room, right=right)
    strip = line.strip()
    assert strip.cell_length == width == sum(segment.cell_length for segment in strip)
    assert NO_TEXT.findall(strip.text) == []
    assert not set("\n\r\x1b") & set(strip.text)
    assert not ascii_only or strip.text.isascii()
    assert all(segment.style is None or not (segment.style.link or segment.style.meta) for segment in strip)
