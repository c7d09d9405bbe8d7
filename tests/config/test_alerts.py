"""`[alerting]`, `[[alerts]]`, `[[notify]]`, `[budget]`: what they give, and errors with their place."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.config.alerts import AlertmanagerSection, CommandSection, WebhookSection
from tokwatch.ledger.alerts import AlertPolicy
from tokwatch.ledger.alerts.conditions import Condition, FigureName
from tokwatch.ledger.alerts.rules import FigureRule, SeverityShares

FULL = """
[alerting]
keep_firing_s = 300
info_below_share = 0.02
warning_from_share = 0.1
critical_from_share = 0.5
bell = "warning"

[[alerts]]
when = 'usd_per_m_output > 0.80'
for = '10m'
severity = 'critical'
name = 'dear tokens'

[[alerts]]
when = 'power_w{gpu=3} > 650'

[budget]
usd_per_month = 12000

[[notify]]
kind = "command"
command = ["/usr/local/bin/page", "--team", "inference"]
severity = "critical"

[[notify]]
kind = "webhook"
url = "https://hooks.example/x?key=1"
token_env = "HOOK_TOKEN"

[[notify]]
kind = "alertmanager"
url = "http://127.0.0.1:9093"
"""


def test_a_full_file() -> None:
    config = parse(FULL, "config.toml")
    assert config.alert_policy() == AlertPolicy(
        figures=(
            FigureRule("dear tokens", Condition(FigureName("usd_per_m_output"), ">", 0.8), 600, "critical"),
            FigureRule("power_w{gpu=3} > 650", Condition(FigureName("power_w", "gpu", "3"), ">", 650), 0, "warning"),
        ),
        usd_per_month=12000,
        keep_firing_s=300,
        shares=SeverityShares(0.02, 0.1, 0.5),
    )
    assert config.alerting.bell == "warning"
    assert config.notify == (
        CommandSection(command=("/usr/local/bin/page", "--team", "inference"), severity="critical"),
        WebhookSection(url="https://hooks.example/x?key=1", token_env="HOOK_TOKEN"),
        AlertmanagerSection(url="http://127.0.0.1:9093"),
    )


def test_without_a_word_of_it_the_rules_on_states_hold_and_nothing_leaves() -> None:
    config = parse("", "config.toml")
    assert config.alert_policy() == AlertPolicy()
    assert (config.notify, config.alerting.bell) == ((), "critical")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[alerts]]\nwhen = 'watts > 1'", "2: alerts[0].when: there is no figure watts: the figures are "),
        ("[[alerts]]\nwhen = 'tok_s > 1; reboot'", "2: alerts[0].when: 'tok_s > 1; reboot' is no condition: "),
        ("[[alerts]]\nname = 'x'\nwhen = 'power_w{gpu=" + "9" * 100 + "} > 1'", "3: alerts[0].when: "),
        ("[[alerts]]\nname = 'x'\nwhen = 'tok_s > " + "9" * 100 + "'", "3: alerts[0].when: "),
        ("[[alerts]]\nname = 'x'\nwhen = '" + "x" * 9999 + "'", "3: alerts[0].when: a condition of 9999 characters "),
        ("[[alerts]]\nwhen = 'tok_s > 1'\nfor = '" + "9" * 400 + "d'", "3: alerts[0].for: "),
        ("[[alerts]]\nwhen = 'tok_s > 1'\nfor = 'soon'", "3: alerts[0].for: 'soon' is no length of time: "),
        ("[[alerts]]\nwhen = 'tok_s > 1'\nseverity = 'page'", "3: alerts[0].severity: "),
        ("[[alerts]]\nwhen = 'tok_s > 1'\nname = 'parked'", '3: alerts[0].name: "parked" is the name of an alert'),
        ("[[alerts]]\nwhen = 'tok_s > 1'\n[[alerts]]\nwhen = 'tok_s > 1'", '4: alerts[1].name: "tok_s > 1" is '),
        ("[[alerts]]\nfor = '10m'", "1: alerts[0]: "),
        ("[alerting]\nwarning_from_share = 0.5", "2: alerting.critical_from_share: must be a share from 0.5 to 1"),
        ("[alerting]\nkeep_firing_s = -1", "2: alerting.keep_firing_s: "),
        ("[alerting]\nbell = 'loud'", "2: alerting.bell: "),
        ("[budget]\nusd_per_month = 0", "2: budget.usd_per_month: must be above 0"),
        ("[[notify]]\nkind = 'mail'", "2: notify[0].kind: "),
        ("[[notify]]\nkind = 'command'\ncommand = ['page']", "3: notify[0].command: must begin with the full path"),
        ("[[notify]]\nkind = 'command'\ncommand = []", "3: notify[0].command: "),
        ("[[notify]]\nkind = 'command'\ncommand = ['/x']\ntimeout_s = 0", "4: notify[0].timeout_s: "),
        ("[[notify]]\nkind = 'webhook'\nurl = 'http://a..b/'", "3: notify[0].url: is no address"),
        ("[[notify]]\nkind = 'webhook'\nurl = 'http://a/ b'", "3: notify[0].url: is no address"),
        ('[[notify]]\nkind = "webhook"\nurl = "http://a/\\r\\nX-Y: b"', "3: notify[0].url: is no address"),
        ("[[notify]]\nkind = 'webhook'\nurl = 'ftp://x'", "3: notify[0].url: must start with http"),
        ("[[notify]]\nkind = 'alertmanager'\nurl = 'http://a:b@c'", "3: notify[0].url: holds a user or password"),
        ("[[notify]]\nkind = 'webhook'\nurl = 'http://a'\nsecret = 'x'", "4: notify[0].secret: unknown key"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(text: str, message: str) -> None:
    assert refused(text).startswith(message)
