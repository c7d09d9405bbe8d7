"""Arguments of `tokwatch export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command
from tokwatch.cli.fleet import add_prometheus


def add_export(commands: Commands) -> None:
    export = add_command(commands, "export", "write stored quantities and their cost")
    tables = export.add_subparsers(title="tables", metavar="TABLE", required=True)
    _add_hourly(tables)
    _add_alerts(tables)
    _add_openmetrics(tables)


def _add_hourly(tables: Commands) -> None:
    hourly = add_command(
        tables, "hourly", "quantities and cost by the hour: one row an hour and GPU, or model", command="export"
    )
    hourly.add_argument("--by", choices=("gpu", "model", "focus"), default="gpu", help="whose rows (gpu)")
    hourly.add_argument(
        "--grain", choices=("quarter", "hour", "day", "month"), default="hour", help="what a row speaks for (hour)"
    )
    hourly.add_argument(
        "--format", choices=("csv", "json", "jsonl", "markdown", "parquet"), default="csv", help="(csv)"
    )
    hourly.add_argument(
        "--tz", default="UTC", metavar="ZONE", help="whose hours, days and months, as Asia/Kathmandu (UTC)"
    )
    hourly.add_argument("--since", metavar="TIME", help="2026-11-20, 2026-11-20T14:00+01:00; in --tz unless it has one")
    hourly.add_argument("--until", metavar="TIME", help="exclusive; like --since widened to whole rows, or files")
    hourly.add_argument("--session", metavar="ID", help="only this one of `sessions`")
    hourly.add_argument("--focus", choices=("1.2", "1.3"), default="1.2", help="whose column names (1.2)")
    hourly.add_argument(
        "--billed", choices=("cost", "zero"), default="cost", help="what FOCUS says that own GPUs are billed (cost)"
    )
    hourly.add_argument("--simulated", action="store_true", help="with simulated runs, which are left out otherwise")
    hourly.add_argument(
        "--to", type=Path, metavar="DIR", help="one file a day and a manifest, replaced only where they change"
    )
    add_prometheus(hourly, of_command=True)


def _add_alerts(tables: Commands) -> None:
    alerts = add_command(
        tables, "alerts", "one row for each time that an alert was raised, with its money", command="export_alerts"
    )
    alerts.add_argument("--format", choices=("csv", "json", "jsonl", "markdown"), default="csv", help="(csv)")
    _add_range(alerts)


def _add_openmetrics(tables: Commands) -> None:
    openmetrics = add_command(
        tables,
        "openmetrics",
        "counters and gauges with their times: `promtool tsdb create-blocks-from openmetrics` takes them",
        command="export_openmetrics",
    )
    openmetrics.add_argument(
        "--grain", choices=("minute", "quarter"), default="quarter", help="a sample a quarter hour, or a minute"
    )
    _add_range(openmetrics)


def _add_range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="2026-11-20, 2026-11-20T14:00+01:00; UTC unless it has a zone")
    parser.add_argument("--until", metavar="TIME", help="exclusive; like --since widened to whole hours")
    parser.add_argument("--session", metavar="ID", help="only this one of `sessions`")
    parser.add_argument("--simulated", action="store_true", help="with simulated runs, which are left out otherwise")
