"""Appearance: the themes of the app, its ASCII boundary and the user's keys. What the user may make their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.events import Resize
from textual.filter import LineFilter
from textual.reactive import var
from textual.theme import Theme

from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.glyphs import to_ascii_cells
from tokwatch.dashboard.terminal import ASKED, Colours, Terminal
from tokwatch.dashboard.theme import Look, PaletteTheme, palette_of
from tokwatch.dashboard.themes.catalogue import DEFAULT, Themes

_WIDTH, _HEIGHT = 80, 24  # cells, for which every screen is made
_LEFT_OUT = f": some things are left out below {_WIDTH}×{_HEIGHT}."


class Preferences(msgspec.Struct, frozen=True):
    """What the user wants, as far as it was told."""

    theme: str | None = None  # None: as it was left
    directory: Path | None = None  # of themes/ and keys.toml


class OnlyAscii(LineFilter):
    """The last thing that every line passes, Textual's own scroll bars, borders and prompts among them."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(to_ascii_cells(segment.text), segment.style, segment.control)
            for segment in segments
        ]


class Appearance(App[str]):
    """An app whose colours, characters and keys are those of its terminal and its user."""

    # var, not reactive: a reactive of the app repaints the whole screen, 20 kB a tick.
    look: var[Look] = var(Look(), init=False)

    def __init__(self, *, terminal: Terminal, preferences: Preferences, remembered: str = "") -> None:
        """remembered: the theme of the last run, for where none is preferred."""
        self._wrong: list[str] = []  # with the user's own files
        self._said_small = False
        self._only_ascii = OnlyAscii()
        self.terminal = terminal
        self.preferences = preferences
        self.themes = Themes(terminal.colours)
        # With ansi_color Textual answers NO_COLOR with no colours; without, with greys of 24 bits.
        super().__init__(ansi_color=True if terminal.colours == Colours.NONE else None)
        self.theme = self._existing(preferences.theme or remembered or DEFAULT)
        palette = palette_of(self.current_theme)
        self.set_reactive(Appearance.look, Look(palette, terminal.ascii_only, terminal.slow_link))
        if terminal.slow_link:
            self.animation_level = "none"

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._take_theme)
        self.app_resume_signal.subscribe(self, self._draw_anew)
        self.call_after_refresh(self._take_own_files)

    def _draw_anew(self, _: object) -> None:
        """Back from ctrl+z: what stands on the terminal now is the shell's."""
        self.screen.refresh(layout=True)

    def on_resize(self, event: Resize) -> None:
        """Says once that it is small; every screen goes on with what fits."""
        small = event.size.width < _WIDTH or event.size.height < _HEIGHT
        if small and not self._said_small:
            self._said_small = True
            size = f"{event.size.width}×{event.size.height}"
            self.notify(f"{size}{_LEFT_OUT}", markup=False, timeout=4)
        elif not small and (told := [note for note in self._notifications if note.message.endswith(_LEFT_OUT)]):
            self._unnotify(told[0])

    def prefer(self, *, theme: str | None, ascii_only: bool | None, slow_link: bool) -> None:
        """What the config says, where the command line did not say it. For after the first frame."""
        if theme is not None and self.preferences.theme is None:
            self.theme = self._existing(theme)
        if ascii_only is not None and self.terminal.ascii_from != ASKED:
            self.terminal = replace(self.terminal, ascii_only=ascii_only, ascii_from="config.toml")
        if slow_link:
            self.terminal = replace(self.terminal, slow_link=True)
            self.animation_level = "none"
        look = replace(self.look, ascii_only=self.terminal.ascii_only, calm=self.terminal.slow_link)
        if look != self.look:  # else the frame that stands is right: to draw it again takes as long as the first time
            self.look = look
            self.refresh(layout=True)

    def _take_own_files(self) -> None:
        """After the first frame, which needs none of it."""
        self._load_own_themes()
        self._take_keymap()
        for text in self._wrong:
            self.notify(text, severity="warning", markup=False, timeout=15)
        self._wrong.clear()

    # Themes

    def _existing(self, name: str) -> str:
        """The theme of that name, or what is shown in its place; that there is none is told."""
        if name not in self.themes.every():
            self._load_own_themes()
        if name not in self.themes.every():
            self._wrong.append(f"There is no theme {plain(name)}: {', '.join(self.themes.shown())}.")
            name = DEFAULT
        return self.themes.nearest(name)

    def _load_own_themes(self) -> None:
        directory = self.preferences.directory and self.preferences.directory / "themes"
        if self.themes.own is None and directory is not None and directory.is_dir():
            from tokwatch.dashboard.user_themes import load_themes

            own, problems = load_themes(directory)
            self.themes = replace(self.themes, own=own)
            self._wrong += problems

    def _validate_theme(self, theme_name: str) -> str:
        """Makes a theme when it is first wanted: fitting a palette to 256 colours takes some milliseconds."""
        if theme_name not in self.available_themes and (theme := self.themes.every().get(theme_name)):
            self.register_theme(PaletteTheme(theme_name, self.themes.palette(theme_name), dark=theme.dark))
        return super()._validate_theme(theme_name)

    def _take_theme(self, theme: Theme) -> None:
        self.look = replace(self.look, palette=palette_of(theme))

    def action_next_theme(self) -> None:
        following = self.themes.after(self.theme)
        self.clear_notifications()
        if following == self.theme:
            self.notify(f"This terminal shows only one theme: {self.terminal.colours_from}.", markup=False)
        else:
            self.show_theme(following)

    def show_theme(self, name: str) -> None:
        """Changes to it, and says its name."""
        self.theme = name
        self.notify(f"{name}: {self.themes.every()[name].about}", title="Theme", markup=False, timeout=2)

    # Characters

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, self._only_ascii] if self.look.ascii_only else filters

    # Keys

    def _take_keymap(self) -> None:
        path = self.preferences.directory and self.preferences.directory / "keys.toml"
        if path is None or not path.is_file():
            return
        from tokwatch.dashboard.keymap import every_binding, problems_of, read_keymap

        keymap, problems = read_keymap(path)
        self.set_keymap(keymap)
        self._wrong += [*problems, *problems_of(keymap, every_binding())]
