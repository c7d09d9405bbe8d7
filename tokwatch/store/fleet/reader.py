"""What is stored of a fleet: frames by their moment, and the whole fleet's trend over them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final

from tokwatch.ledger.fleet.tally import TrendPoint
from tokwatch.store.connection import open_for_reading
from tokwatch.store.fleet.frames import COARSE_MS, FINE_MS, Frame, unpacked

_COLUMNS: Final = "at_ms, grain_ms, output_tok_s, power_w, gpus_idle"
# One seek in the index for each grain: sorting all earlier frames by their moment would read them.
_NEWEST: Final = (
    "SELECT id FROM (SELECT id FROM fleet_frame WHERE grain_ms = {} AND at_ms <= :at ORDER BY at_ms DESC LIMIT 1)"
)
_FRAME_AT: Final = (
    f"SELECT {_COLUMNS}, body FROM fleet_frame WHERE id IN ({_NEWEST.format(':fine')} UNION ALL "
    f"{_NEWEST.format(':coarse')}) ORDER BY at_ms DESC, grain_ms LIMIT 1"
)


class FleetReader:
    """Read-only; works while a recorder writes. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        self._connection = open_for_reading(path)

    def __enter__(self) -> FleetReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @property
    def is_simulated(self) -> bool:
        """Whether no run with frames was measured."""
        found = self._connection.execute("SELECT kind FROM run WHERE id IN (SELECT run FROM fleet_frame)").fetchall()
        return bool(found) and all(kind == "simulated" for (kind,) in found)

    def span_ms(self) -> tuple[int, int] | None:
        """The first and last moment with a frame; None: the store holds no fleet."""
        first_ms, last_ms = self._connection.execute("SELECT min(at_ms), max(at_ms) FROM fleet_frame").fetchone()
        return None if first_ms is None else (first_ms, last_ms)

    def frame(self, at_ms: int) -> Frame | None:
        """The newest frame of `at_ms` or before, the finer of two; None where there is none."""
        row = self._connection.execute(_FRAME_AT, {"at": at_ms, "fine": FINE_MS, "coarse": COARSE_MS}).fetchone()
        if row is None:
            return None
        moment_ms, grain_ms, output_tok_s, power_w, gpus_idle, body = row
        return Frame(moment_ms, grain_ms, unpacked(body), TrendPoint(moment_ms, output_tok_s, power_w, gpus_idle))

    def trend(self, from_ms: int, to_ms: int, grain_ms: int) -> tuple[TrendPoint, ...]:
        """Points of the frames of one grain in (from_ms, to_ms], oldest first."""
        with closing(
            self._connection.execute(
                f"SELECT {_COLUMNS} FROM fleet_frame WHERE grain_ms = ? AND at_ms > ? AND at_ms <= ? ORDER BY at_ms",
                (grain_ms, from_ms, to_ms),
            )
        ) as rows:
            return tuple(TrendPoint(at_ms, *figures) for at_ms, _, *figures in rows)
