"""Arguments of `tokwatch money`."""

from __future__ import annotations

from tokwatch.cli.arguments import Commands, add_command, price_usd_per_gpu_hour


def add_money(commands: Commands) -> None:
    money = add_command(commands, "money", "what a stored period cost and earned, and what would have been otherwise")
    money.add_argument("--json", action="store_true")
    money.add_argument("--since", metavar="TIME", help="24 h before its end; UTC unless it has a zone")
    money.add_argument("--until", metavar="TIME", help="what was stored last; widened to whole hours, as --since is")
    money.add_argument("--session", metavar="ID", help="only this one of `sessions`")
    money.add_argument(
        "--by", choices=("deployment", "model", "tier", "tenant", "gpu", "host"), default="deployment", help="rows"
    )
    money.add_argument("--rent", type=price_usd_per_gpu_hour, metavar="N", help="elastic rent to compare own GPUs with")
    money.add_argument(
        "--what-if",
        metavar="CHANGES",
        help="factors gpu_price=0.8,token_price=1.1,tariff=1.5,utilisation=0.5 and a value pue=1.1",
    )
    money.add_argument(
        "--mix", metavar="LARGE=SMALL:N", help="what it would cost with N %% of LARGE's tokens served by SMALL"
    )
    money.add_argument("--curve", action="store_true", help="cost and energy of a token against load")
    money.add_argument("--demand", action="store_true", help="tokens and requests by hour of day, prompts by length")
