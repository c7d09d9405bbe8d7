"""Arguments of `tokwatch prices`."""

from __future__ import annotations

from tokwatch.cli.arguments import Commands, add_command, price_usd_per_gpu_hour


def add_prices(commands: Commands) -> None:
    prices = add_command(commands, "prices", "show the price book and what is in force now")
    prices.set_defaults(part="show")
    prices.add_argument("--json", action="store_true")
    parts = prices.add_subparsers(title="parts", metavar="PART")

    restate = add_command(
        parts, "restate", "say what the prices of a past time really were; both stay", command="prices"
    )
    restate.set_defaults(part="restate")
    restate.add_argument("--from", dest="from_", required=True, metavar="TIME", help="UTC unless it has a zone")
    restate.add_argument("--to", required=True, metavar="TIME")
    restate.add_argument("--reason", required=True, metavar="WORDS", help="what was wrong; kept beside the prices")
    restate.add_argument(
        "--price", type=price_usd_per_gpu_hour, metavar="N", help="what a GPU-hour cost; else the config's prices"
    )

    close = add_command(parts, "close", "make the prices of a month final", command="prices")
    close.set_defaults(part="close")
    close.add_argument("month", metavar="MONTH", help="2026-10, in UTC")

    importing = add_command(
        parts, "import", "take up the config's prices now, beside a running recorder", command="prices"
    )
    importing.set_defaults(part="import")

    example = add_command(parts, "example", "print a config with dated, sourced prices", command="prices")
    example.set_defaults(part="example")
    example.add_argument("name", nargs="?", metavar="NAME", help="without one: those there are")
