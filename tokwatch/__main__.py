"""`python -m tokwatch` and the console script."""

from __future__ import annotations

import sys

from tokwatch.first_sight.terminal import leave
from tokwatch.first_sight.words import dashboard_options


def main() -> None:
    """Run the command line and leave with its exit code; the dashboard shows at once what it last showed."""
    try:
        options = dashboard_options(sys.argv[1:])
        code = _run() if options is None else _dashboard(options)
    except KeyboardInterrupt:  # while modules are imported
        code = 130
    finally:
        leave()
    sys.exit(code)


def _run() -> int:
    from tokwatch.cli import run

    return run(sys.argv[1:])


def _dashboard(options: dict[str, str]) -> int:
    """What `run` would do, without describing every command first."""
    from tokwatch.first_sight.show import show

    show(options)
    from tokwatch.commands.live import start
    from tokwatch.leaving import guarded

    return guarded(lambda: start(options))


if __name__ == "__main__":
    main()
