"""What a live recorder has for its alerts beside the ledger: figures and spending, mutes, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tokwatch.config import Config
from tokwatch.feeds.alert_inputs import AlertInputs
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.told import ToldStore
from tokwatch.ledger.alerts.budget import Spending
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.bookkeeper import Bookkeeper
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.notify.notifier import Notifier
from tokwatch.notify.opening import open_channels
from tokwatch.store.reader import Reader


def needs_view(config: Config) -> bool:
    """A recorder without a screen folds its ticks into a View only where something of this is configured."""
    return bool(config.alerts or config.notify or config.budget.usd_per_month is not None)


class Alerting:
    """Put to a recorder whose ticks `view` is told of first; to be closed after it."""

    def __init__(
        self, config: Config, store: Path, recorder: Recorder, bookkeeper: Bookkeeper, view: RecorderView
    ) -> None:
        """Raises ConfigError for an outlet that cannot be opened."""
        run = bookkeeper.run
        self._inputs = AlertInputs(
            config.alert_policy(),
            lambda: snapshot(view.view, mode="live"),
            lambda now_ms: _spent(store, run, now_ms),
            recorder.tell,
        )
        self._notifier = Notifier(lambda: view.view, open_channels(config.notify, recorder.tell))
        recorder.complete_with(self._inputs.add_to)
        recorder.listen(_reporting(self._inputs.take, "alerts on figures", recorder.tell))
        recorder.listen(_reporting(self._notifier.take, "outlets", recorder.tell))

    async def close(self) -> None:
        """What was decided is still told, for a few seconds."""
        await self._inputs.close()
        await self._notifier.close()


def _reporting(
    take: Callable[[TickRecord], None], what: str, tell: Callable[[str, str], None]
) -> Callable[[TickRecord], None]:
    """The same listener, whose failures are told and stay told: what only alerts need must not end the recording."""

    def taking(record: TickRecord) -> None:
        try:
            take(record)
        except Exception as error:  # noqa: BLE001  a boundary: whatever it is, ticks are worth more than alerts
            tell(what, f"failed, and may have failed since: {error!r}; this is a fault of tokwatch, please report it")

    return taking


def _spent(store: Path, run: Run, now_ms: int) -> Spending | None:
    from tokwatch.feeds.spending import spent_this_month  # with the exports behind it, which few recorders need

    return spent_this_month(store, run, now_ms)


def keep_muted(told: ToldStore, bookkeeper: Bookkeeper) -> None:
    """Let a recorder's alerts follow the mutes that users tell the store."""

    def take(mutes: list[Mute]) -> bool:
        bookkeeper.mutes = tuple(mutes)
        return True

    told.on_mutes(Reader.mutes, take)
