"""Help: the keys in force on the screen that asked, and what states, glyphs and marks mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.active_keys import ActiveKey, active_keys
from tokwatch.dashboard.arrange.filter import LANGUAGE
from tokwatch.dashboard.cells import wrap
from tokwatch.dashboard.key_names import key_names
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.mark_words import MEANINGS, look_of_kind
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.screens.page import SCROLLING
from tokwatch.dashboard.terminal import Colours, Terminal
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.dashboard.widgets.footer import Keys
from tokwatch.ledger.marks import MARKS

_STATES: Final = {
    "serving": "requests run or tokens moved in the window",
    "saturated": "requests wait for room in the KV cache",
    "backlog": "requests wait for another limit: batch size, tokens in a batch",
    "throttled": "requests run, and its hardware or heat slows it down",
    "misrouted": "no request here, while some wait at another server of the same model",
    "underbatched": "works far below its capacity: fewer GPUs would do",
    "parked": "a model is loaded and nobody asks it",
    "held": "memory is held and nothing runs",
    "unallocated": "no process: paid for and free",
    "loading": "a server starts",
    "other work": "busy with something that is not a known inference engine",
    "blind": "a server is here and cannot be read",
    "stalled": "requests run and no token is made: the server hangs",
    "lost": "the driver no longer answers for this GPU",
    "unknown": "not enough is known; never counted as idle",
}
_MARKS: Final = (
    (glyphs.ABSENT, "not measured, or does not apply; 0 is a measured zero"),
    (glyphs.INFINITE, "cost without tokens"),
    ("97–99", "known between these bounds: the edges of a histogram's buckets"),
    *MARKS.values(),
    (glyphs.WARNING, "beside a number: the device is at fault itself, see the lines below the list"),
    ("quiet state", "not confirmed yet: it has to last a moment before it counts"),
)
# Where a shared key belongs, by the id of its binding; others stand under "MORE".
_GROUPS: Final = {
    "TIME": (
        *("pause", "step-back", "step-on", "leap-back", "leap-on", "slower", "faster", "go-to", "next-mark"),
        *("mark-before", "mark-of-kind", "start", "live", "compare"),
    ),
    "FIND": ("filter", "inspect", "palette", "help"),
    "MONEY": ("price", "what-if"),
    "TAKE AWAY": ("copy", "export", "cancel", "picture"),
    "LOOK": ("theme", "suspend", "quit"),
}
_TWO_COLUMNS_FROM: Final = 118  # columns of the page
_MARK, _MEANING = 3, 22
_COLOURS: Final = {Colours.TRUE: "all colours", Colours.NONE: "no colours"}


class Entry(NamedTuple):
    """A line of the page: a mark in a colour, a name, and what it means."""

    mark: str
    role: str
    name: str
    meaning: str


class Section(NamedTuple):
    """A heading and its lines."""

    title: str
    entries: Sequence[Entry]


class Put(NamedTuple):
    """A text of a row: from which column on, and how."""

    x: int
    text: str
    role: str = "text"
    bold: bool = False


Row = list[Put]


class FindingInHelp(Screen[None]):
    """The keys of a screen with a HelpPage: the fleet has one of its own."""

    KEYS: ClassVar[Keys] = (("/", "find"), ("esc", "close"), ("↑↓", "scroll"))
    BINDINGS: ClassVar[list[BindingType]] = [
        *(binding for binding in SCROLLING if binding.key != "escape"),
        Binding("escape,question_mark", "close", "Close help, or end the search", id="help.close"),
        Binding("slash", "find", "Find a word on this page", id="help.find"),
    ]

    def action_scroll(self, by: int) -> None:
        self.query_one(HelpPage).scroll(by)

    async def action_close(self) -> None:
        page = self.query_one(HelpPage)
        if page.wanted:
            page.find("")
        else:
            await self.run_action("app.leave")

    def action_find(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt

        self.app.push_screen(Prompt("FIND IN HELP", "a word; empty shows all", str.strip), self._find)

    def _find(self, word: str | None) -> None:
        if word is not None:
            self.query_one(HelpPage).find(word)


class HelpScreen(FindingInHelp, FrameScreen):
    """One page over whatever screen asked."""

    def __init__(self, asked: Screen[Any]) -> None:
        """asked: the screen whose keys are wanted."""
        super().__init__()
        self._keys = tuple(active_keys(asked))
        self._about = asked.TAB if isinstance(asked, FrameScreen) and not asked.DRILLED else "this screen"

    def body(self) -> ComposeResult:
        sections = (
            *key_sections(self._keys, self._about, ascii_only=self.tokwatch.look.ascii_only),
            *meanings(),
            Section("THIS TERMINAL", tuple(terminal_entries(self.tokwatch.terminal))),
        )
        yield HelpPage(self.tokwatch.look, sections)


class HelpPage(Document):
    """The text of the screen, in two columns where there is room."""

    def __init__(self, look: Look, sections: Sequence[Section]) -> None:
        super().__init__(look)
        self._sections = sections
        self.wanted = ""

    def find(self, word: str) -> None:
        """Shows the lines that have the word; all of them without one."""
        self.wanted = word
        self.scroll_to(y=0, animate=False)
        self.rewrite()

    def write(self, page: Page) -> None:
        sections = tuple(found(self._sections, self.wanted))
        width = self.size.width
        if not sections:
            page.text(1, f"Nothing here says {self.wanted}. Escape shows all again.")
            return
        columns = [rows(sections, width)] if width < _TWO_COLUMNS_FROM else halves(sections, width // 2)
        for across in zip_longest(*columns, fillvalue=()):
            line = page.line()
            for x, row in zip((0, width // 2), across, strict=False):
                for put in row:
                    line.put(x + put.x, put.text, put.role, bold=put.bold)


def found(sections: Iterable[Section], word: str) -> Iterator[Section]:
    """The sections with those entries that have the word, in capitals or not."""
    wanted = word.casefold()
    for section in sections:
        entries = [entry for entry in section.entries if wanted in " ".join(entry).casefold()]
        if entries:
            yield Section(section.title, entries)


def rows(sections: Iterable[Section], width: int) -> list[Row]:
    """The sections written in a width, with a blank row between them."""
    written: list[Row] = []
    for title, entries in sections:
        if written:
            written.append([])
        written += [[Put(MARGIN, title, bold=True)], [Put(MARGIN, glyphs.RULE * (width - 2 * MARGIN), "rule")]]
        for entry in entries:
            head = [Put(_MARK, entry.mark, entry.role, entry.role == "ui"), Put(_MARK + 2, entry.name)]
            taken = _MARK + max(len(entry.mark), 2 + len(entry.name) if entry.name else 0)
            meaning = [[Put(_MEANING, text, "quiet")] for text in wrap(entry.meaning, width - _MEANING - 2 * MARGIN)]
            if taken < _MEANING and meaning:
                head += meaning.pop(0)
            written += [head, *meaning]
    return written


def halves(sections: Sequence[Section], width: int) -> list[list[Row]]:
    """Two columns of whole sections, as equally long as can be."""
    ways = ([rows(sections[:cut], width), rows(sections[cut:], width)] for cut in range(1, len(sections) + 1))
    return min(ways, key=lambda columns: max(map(len, columns)))


def key_sections(keys: Iterable[ActiveKey], about: str, *, ascii_only: bool) -> Iterator[Section]:
    """The keys in force: those of the screen first, then the shared ones by what they are for."""
    own = f"ON {about.upper()}"
    groups: dict[str, list[Entry]] = {}
    for key in keys:
        entry = Entry(key_names(key.bindings, ascii_only=ascii_only), "ui", "", key.description)
        groups.setdefault(own if key.is_of_the_screen else _group(key), []).append(entry)
    for group in sorted(groups, key=(own, "SCREENS", *_GROUPS, "MORE").index):
        yield Section(group, groups[group])


def _group(key: ActiveKey) -> str:
    if key.action.startswith("show_screen"):
        return "SCREENS"
    return next((group for group, ids in _GROUPS.items() if key.id in ids), "MORE")


def meanings() -> Iterator[Section]:
    """The words of a filter, states, marks in time, and marks beside figures."""
    yield Section("FILTER", [Entry(example, "text", "", meaning) for example, meaning in LANGUAGE])
    looks = ((glyphs.look_of_state(state), meaning) for state, meaning in _STATES.items())
    yield Section("STATES", [Entry(look.glyph, look.role, look.word, meaning) for look, meaning in looks])
    kinds = ((look_of_kind(kind), kind, meaning) for kind, meaning in MEANINGS.items())
    yield Section("MARKS IN TIME", [Entry(glyph, role, kind, meaning) for (glyph, role), kind, meaning in kinds])
    yield Section("MARKS", [Entry(mark, "text", "", meaning) for mark, meaning in _MARKS])


def terminal_entries(terminal: Terminal) -> Iterator[Entry]:
    """What it can show, and how that is known."""
    colours = _COLOURS.get(terminal.colours, f"{terminal.colours:d} colours")
    yield Entry(colours, "text", "", terminal.colours_from or "nothing says otherwise")
    characters = "ASCII only" if terminal.ascii_only else "all characters"
    yield Entry(characters, "text", "", terminal.ascii_from or "nothing says otherwise")
    if terminal.slow_link:
        yield Entry("slow link", "text", "", "a frame every three seconds, and no sparklines")
