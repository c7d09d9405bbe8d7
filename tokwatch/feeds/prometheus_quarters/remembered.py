"""What was made of labels, made once: equal label sets are one object in all answers of a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from tokwatch.feeds.prometheus_quarters.asking import Labels

T = TypeVar("T")


class Remembered(Generic[T]):
    """A function of labels. Reading those of 8000 GPUs anew for each figure took most of an export's time."""

    def __init__(self, read: Callable[[Labels], T]) -> None:
        self._read = read
        self._known: dict[int, tuple[Labels, T]] = {}  # the labels are kept, so that no others get their id

    def __call__(self, labels: Labels) -> T:
        known = self._known.get(id(labels))
        if known is None:
            known = self._known[id(labels)] = labels, self._read(labels)
        return known[1]
