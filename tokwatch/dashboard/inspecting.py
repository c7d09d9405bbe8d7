"""Inspecting: begins pointing at the figures of the screen, each of which tells where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokwatch.dashboard.pointing import Target, targets
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.inspector import Inspector
from tokwatch.dashboard.widgets.pointer import Pointer

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp


def inspect(app: TokwatchApp) -> None:
    """Points at the figure that is most natural; a second call ends it."""
    screen = app.screen
    if not isinstance(screen, FrameScreen):
        return
    for inspector in screen.query(Inspector):
        inspector.action_end()
        return
    found = targets(screen.canvases)
    if not found:
        app.say("There is no figure on this screen yet.")
        return
    target = under_cursor(screen, found) or found[0]
    pointer = Pointer(app.look)
    inspector = Inspector(app.look, target, pointer)
    screen.styles.layers = "default inspecting"

    async def begin() -> None:
        await screen.mount(inspector, pointer)
        screen.know_canvases()
        inspector.focus(scroll_visible=False)
        inspector.show(app.frame)

    app.run_worker(begin(), exclusive=True, group="begin inspecting")


def under_cursor(screen: FrameScreen, found: list[Target]) -> Target | None:
    """The first figure of the row under a list's cursor; None where there is none on screen."""
    for canvas in screen.query(Canvas):
        cursor = getattr(canvas, "cursor", None)
        if isinstance(cursor, int) and canvas.display and canvas.region:
            y = canvas.region.y + cursor - canvas.scroll_offset.y
            if (first := next((target for target in found if target.y == y), None)) is not None:
                return first
    return None
