"""The driver: Textual's own on a terminal, taking over from first sight, and counting what it writes."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Paste
from textual.message import Message

from tokwatch.dashboard.cells import plain
from tokwatch.first_sight.terminal import hand_over

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


class TerminalDriver(LinuxDriver):
    """Written for one thread, as Textual writes."""

    written_bytes = 0  # to the terminal, since the start
    _standing = False

    def start_application_mode(self) -> None:
        # Entered a second time many terminals clear it: the frame that stands there would go for a blink.
        self._standing = hand_over()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._standing = False

    def _sigcont_application(self, *_: object) -> None:
        """Begins anew on the terminal after ctrl+z only.

        Textual does so at any SIGCONT, of a debugger and of the kernel too: with a second thread that reads the keys,
        of which one never ends.
        """
        if self._must_signal_resume:
            super()._sigcont_application()

    def process_message(self, message: Message) -> None:
        """Textual's fields show what is pasted into them as it came, sequences and all."""
        if isinstance(message, Paste):
            message.text = "\n".join(map(plain, message.text.splitlines()))
        super().process_message(message)

    def write(self, data: str) -> None:
        if self._standing and data == _ENTER_ALTERNATE_SCREEN:
            return
        self.written_bytes += len(data.encode("utf-8", "replace"))
        super().write(data)
