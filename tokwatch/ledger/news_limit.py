"""How often one thing may have news: what others word can change with every page, and each change is kept for ever."""

from __future__ import annotations

from typing import Final

FREE: Final = 20  # at once …
REFILL_MS: Final = 60_000  # … and one more after each of these

Place = tuple[str, int, str]  # kind, entity, key of an event


class NewsLimit:
    """A token bucket for each place. What is refused is news again at the next tick, if it still holds then."""

    def __init__(self) -> None:
        self._full_ms: dict[Place, int] = {}  # when the bucket will be full again

    def allows(self, place: Place, tick_ms: int) -> bool:
        """Whether it may have news now; if so, that is taken from its bucket."""
        full_ms = max(self._full_ms.get(place, 0), tick_ms) + REFILL_MS
        if full_ms - tick_ms > FREE * REFILL_MS:
            return False
        self._full_ms[place] = full_ms
        return True
