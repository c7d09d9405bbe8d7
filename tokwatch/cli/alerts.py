"""Arguments of `tokwatch alerts`."""

from __future__ import annotations

from tokwatch.cli.arguments import Commands, add_command, duration_s


def add_alerts(commands: Commands) -> None:
    alerts = add_command(commands, "alerts", "what fires, what was over lately, what is muted; with its dollars")
    alerts.set_defaults(action="list")
    alerts.add_argument("--json", action="store_true")
    actions = alerts.add_subparsers(title="actions", metavar="ACTION")
    mute = add_command(actions, "mute", "tell nobody of some alerts for a while", command="alerts")
    mute.set_defaults(action="mute")
    mute.add_argument("--state", default="", help="parked, lost …, or the name of an alert of the config")
    mute.add_argument("--gpu", default="", metavar="N", help="index or UUID")
    mute.add_argument("--host", default="")
    mute.add_argument("--model", default="", help="alerts of GPUs that serve it")
    mute.add_argument("--for", dest="for_s", type=duration_s, required=True, metavar="TIME", help="90s, 2m, 8h, 3d …")
    mute.add_argument("--reason", required=True)
    unmute = add_command(actions, "unmute", "take a mute back", command="alerts")
    unmute.set_defaults(action="unmute")
    unmute.add_argument("id", type=int, metavar="ID", help="as `alerts` lists it")
