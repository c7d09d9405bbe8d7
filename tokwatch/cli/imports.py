"""Arguments of `tokwatch import`."""

from __future__ import annotations

from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command
from tokwatch.cli.fleet import prometheus_url

_TIMES = "'yesterday 14:00', 'monday 8:15', 2026-11-17, 2026-11-17T14:00+01:00, '2h ago'"


def add_import(commands: Commands) -> None:
    importing = add_command(commands, "import", "make a session of something captured elsewhere")
    kinds = importing.add_subparsers(title="kinds", metavar="KIND", required=True)

    pages = add_command(
        kinds, "pages", "a directory of captured /metrics pages named <unix-ms>.prom", command="imports"
    )
    pages.add_argument("directory", type=Path, metavar="DIR")
    pages.add_argument("--host", default="imported", help="name of the host they are of")

    prometheus = add_command(
        kinds, "prometheus", "what a Prometheus-compatible server scraped of a host", command="import_prometheus"
    )
    prometheus.add_argument(
        "url", nargs="?", type=prometheus_url, metavar="URL", help="base URL; without one [prometheus] of the config"
    )
    prometheus.add_argument("--since", required=True, metavar="TIME", help=_TIMES)
    prometheus.add_argument("--until", metavar="TIME", help="like --since; now without it")
    prometheus.add_argument(
        "--host",
        dest="host_names",
        action="append",
        default=[],
        metavar="NAME",
        help="may be given several times; without it the server's only one",
    )
