"""What the stored past of the box says, by kind of question: the answers of FakeFeed. One line a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ANSWERS: dict[type[object], Callable[[Any], object]] = {}
