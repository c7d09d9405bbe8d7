"""Arguments of `tokwatch replay`."""

from __future__ import annotations

from tokwatch.cli.arguments import Commands, add_command, add_screen, duration_s
from tokwatch.cli.fleet import add_host, add_prometheus

_TIMES = "14:02, 2026-11-20 14:02, 'yesterday 14:00', 'monday 8:15', '2h ago', -10m, first or end"


def add_replay(commands: Commands) -> None:
    replay = add_command(commands, "replay", "look at what is stored: a session, or any moment")
    replay.add_argument(
        "session",
        nargs="?",
        metavar="SESSION|FILE",
        help="id of `sessions`, or a store; without one all of the host's history, from the newest session on",
    )
    replay.add_argument("--at", metavar="TIME", help=f"begin there: {_TIMES}")
    replay.add_argument(
        "--from", dest="from_time", metavar="TIME", help="with --prometheus: what to ask for; else an hour around --at"
    )
    replay.add_argument("--to", dest="to_time", metavar="TIME", help="with --from: its end; now without it")
    replay.add_argument("--speed", type=float, default=1.0, metavar="N", help="times the pace of the recording")
    replay.add_argument(
        "--compare", nargs=2, metavar="TIME", help="no screen: the windows until two moments side by side"
    )
    replay.add_argument(
        "--window", type=duration_s, default=600.0, metavar="TIME", help="how long the windows are (10m)"
    )
    replay.add_argument("--json", action="store_true", help="no screen: one Snapshot a line, only one with --at")
    add_prometheus(replay, of_command=True)
    add_host(replay, of_command=True)
    add_screen(replay, of_command=True)
