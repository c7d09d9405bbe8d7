"""Taking away: what is on screen to the clipboard, to a file where there is none, or as a picture."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.header import Header

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.moving import Moving

LIMIT_BYTES: Final = 74_994  # of text: in base64 and its sequence just under the 100 000 at which xterm and tmux cut
_NO_CLIPBOARD: Final = ("linux", "screen", "dumb", "vt", "cons")  # beginnings of TERM
_LOCAL_FONT: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@runtime_checkable
class HasTable(Protocol):
    """A screen that writes its table better than it reads."""

    def table(self) -> str:
        """Tab-separated, with headings."""
        ...


def copy_table(app: TokwatchApp) -> None:
    """The screen's table: tab-separated where the screen has one, else its text as it reads."""
    screen = app.screen
    if not isinstance(screen, FrameScreen):
        return
    name = screen.TAB or "screen"
    if isinstance(screen, HasTable):
        text, ending = screen.table(), "tsv"
    else:
        text, ending = _as_read(screen), "txt"
    lines = len(text.splitlines())
    copy_text(app, text, f"{name}, {lines} line{'s' if lines > 1 else ''}", ending=ending)


def copy_text(app: TokwatchApp, text: str, what: str, *, ending: str = "txt") -> None:
    """`text` to the clipboard, or to a file named after the box and the moment on screen."""
    to_clipboard(app, text, what, ending=ending, stem=_stem(app.frame))


def to_clipboard(app: Moving, text: str, what: str, *, stem: str, ending: str) -> None:
    """`text` to the clipboard of the user's terminal, and a note that says so; `what` names it in the note.

    A terminal does not say whether it took it. Where it is known not to, or may not, a file holds the text too.
    """
    if not text.strip():
        app.say("There is nothing to copy yet.")
        return
    text = "\n".join("\t".join(map(plain, line.split("\t"))) for line in text.split("\n"))  # it is pasted into a shell
    doubt = doubts(os.environ, len(text.encode()))
    if doubt is None or doubt.try_it:
        app.copy_to_clipboard(text)
    if doubt is None:
        app.say(f"Copied: {plain(what)}.")
        return
    said = f"{plain(what)[:1].upper()}{plain(what)[1:]}: {doubt.why}"
    _put_into_file(app, [_state_folder() / "copies"], stem, ending, text, f"{said}. It is in", said)


class Doubt(NamedTuple):
    """Why the clipboard may not get a text."""

    why: str
    try_it: bool = False


def doubts(environment: Mapping[str, str], size: int) -> Doubt | None:
    """What speaks against the terminal's taking `size` bytes into the clipboard (OSC 52); None: nothing."""
    term = environment.get("TERM", "")
    if size > LIMIT_BYTES:
        return Doubt(f"{size // 1000} kB are more than terminals take into the clipboard")
    if environment.get("TMUX"):
        return Doubt("copied if tmux has `set -g set-clipboard on`", try_it=True)
    if term.startswith(_NO_CLIPBOARD):  # may even print what it does not know
        return Doubt(f"the terminal ({plain(term)}) has no clipboard")
    if environment.get("TERM_PROGRAM") == "Apple_Terminal":
        return Doubt("this terminal lets no program into the clipboard")
    return None


def save_picture(app: TokwatchApp) -> None:
    """An SVG of the screen."""
    snapshot = app.frame.snapshot
    title = " ".join(("tokwatch", plain(snapshot.host), _when(app.frame)) if snapshot else ("tokwatch",))
    save_svg(app, title, _stem(app.frame))


def save_svg(app: Moving, title: str, stem: str) -> None:
    """An SVG of the screen into the current directory, else the state directory; nothing is overwritten."""
    svg = alone(app.export_screenshot(title=title))
    _put_into_file(app, [Path(), _state_folder()], stem, "svg", svg, "Saved", "No picture was saved")


def alone(svg: str) -> str:
    """The picture without the web fonts that Textual names in it: opening it asks nobody for anything."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", _LOCAL_FONT).replace("font-family: arial", "font-family: sans-serif")


def _put_into_file(
    app: Moving, folders: Sequence[Path], stem: str, ending: str, text: str, done: str, failed: str
) -> None:
    """Writes it beside the loop, for a disk may be slow, and says where it is, or why it is nowhere."""

    async def write() -> None:
        try:
            path = await asyncio.to_thread(write_new, folders, stem, ending, text)
        except OSError as error:
            app.say(f"{failed}. {plain(str(error.filename))}: {error.strerror}", "warning")
        else:
            app.say(f"{done} {plain(str(path))}")

    app.run_worker(write(), group="files")


def write_new(folders: Sequence[Path], stem: str, ending: str, text: str) -> Path:
    """Writes a file that is not there yet into the first folder that takes it. Raises the last one's OSError."""
    *others, last = folders
    for folder in others:
        try:
            return _write(folder, stem, ending, text)
        except OSError:  # the next one is the way out
            continue
    return _write(last, stem, ending, text)


def _write(folder: Path, stem: str, ending: str, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1
    while True:
        path = folder / (f"{stem}.{ending}" if number == 1 else f"{stem}-{number}.{ending}")
        try:
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            number += 1
            continue
        try:
            with file:
                file.write(text)
        except OSError as error:  # a full disk: half of it is worth nothing
            path.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(path)) from error
        return path.absolute()


def _state_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path("tokwatch")


def _when(frame: Frame) -> str:
    snapshot = frame.snapshot
    moment = formats.local(snapshot.wall_ms, snapshot.utc_offset_s) if snapshot else datetime.now()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _stem(frame: Frame) -> str:
    """tokwatch-dgx-03-2026-05-04-140322: the host's name is data, so only what a file name may hold stays of it."""
    host = re.sub(r"[^A-Za-z0-9._-]+", "-", frame.snapshot.host).strip(".-")[:40] if frame.snapshot else ""
    when = re.sub(r"[ ]", "-", _when(frame).replace(":", ""))
    return "-".join(part for part in ("tokwatch", host, when) if part)


def _as_read(screen: FrameScreen) -> str:
    """The text between the header and the rows at the bottom, all of what can be scrolled to."""
    bottom = screen.query_one("#bottom")
    header = screen.query_one(Header)
    lines: list[str] = []
    for canvas in screen.canvases:
        if canvas.display and not {bottom, header}.intersection(canvas.ancestors):
            lines += [line.text().rstrip() for line in canvas.draw(range(canvas.rows()))]
    return "\n".join(lines).strip("\n") + "\n"
