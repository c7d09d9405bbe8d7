"""Leaving: what a command's end is to the shell that called it: an exit code, and one line on stderr for an error."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from tokwatch.first_sight.terminal import leave as leave_first_sight

_LONGEST_MESSAGE = 1000  # in characters
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # for stdout, mostly
_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130  # as in Exit, whose `enum` the first frame need not wait for


def guarded(run: Callable[[], int]) -> int:
    """The exit code of a command, whatever it ends with."""
    try:
        code = int(run())
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `tokwatch export … | head`
        _end_as_others_do()
        return _FAILED
    except OSError as error:
        if error.errno not in _FULL:
            raise
        leave_first_sight()
        _drop_stdout()
        sys.stderr.write(f"tokwatch: not all of it could be written: {error.strerror}\n")
        return _FAILED
    except _expected_errors() as error:
        leave_first_sight()
        sys.stderr.write(f"tokwatch: {_one_line(error)}\n")
        return _USAGE if _is_usage(error) else _FAILED


def _end_as_others_do() -> None:
    """Quietly, by the signal that a program without Python's handling of it would have got.

    Not set at the start: sockets raise it too, and a server that goes while it is asked must not end a recorder.
    """
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def _drop_stdout() -> None:
    """What is still buffered has no place: the interpreter's own last flush would only complain once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _expected_errors() -> tuple[type[Exception], ...]:
    from tokwatch.errors import EXPECTED

    return EXPECTED


def _is_usage(error: Exception) -> bool:
    from tokwatch.errors import UsageError

    return isinstance(error, UsageError)


def _one_line(error: Exception) -> str:
    """Its message, which may quote a file that others made: SQLite cites a damaged schema with its line breaks."""
    from collectors.labels import clean_label

    return clean_label(" ".join(str(error).split()), _LONGEST_MESSAGE)
