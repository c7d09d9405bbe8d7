"""Apps on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest
from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]

from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.terminal import Terminal
from tokwatch.feeds.mark import Mark
from tokwatch.ledger.snapshot import Snapshot

SVGImageExtension.file_extension = "svg"  # syrupy 5 renamed the attribute that the plugin sets: baselines became .raw


class MakeApp(Protocol):
    def __call__(
        self,
        snapshot: Snapshot = BOX,
        *,
        stored: bool = False,
        ascii_only: bool = False,
        marks: tuple[Mark, ...] = (),
        what_if: float | None = None,
    ) -> TokwatchApp: ...


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def frozen() -> Callable[[], float]:
    """The wall clock, standing at the moment of the box."""
    return lambda: NOW_MS / 1000


@pytest.fixture
def make_app(frozen: Callable[[], float]) -> MakeApp:
    """An app that shows one Snapshot."""

    def make(
        snapshot: Snapshot = BOX,
        *,
        stored: bool = False,
        ascii_only: bool = False,
        marks: tuple[Mark, ...] = (),
        what_if: float | None = None,
    ) -> TokwatchApp:
        feed = FakeFeed([snapshot], can_go_live=not stored)
        feed.marks, feed.what_if = marks, what_if
        return TokwatchApp(feed, terminal=Terminal(ascii_only=ascii_only), now=frozen)

    return make
