"""`[alerting]`, `[[alerts]]`, `[[notify]]` and `[budget]`: what is worth telling, how severe it is, and to whom."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from tokwatch.config.endpoints import Endpoint, url_problem
from tokwatch.ledger.alerts.body import Severity
from tokwatch.ledger.alerts.conditions import Condition, ConditionError, parse_condition
from tokwatch.ledger.alerts.rules import STATE_RULES, AlertPolicy, FigureRule, SeverityShares
from tokwatch.ledger.alerts.tracker import BUDGET

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TAKEN = {rule.key for rule in STATE_RULES} | {BUDGET}
_LONGEST_NAME = 100


class AlertSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[alerts]]`: a condition on a figure."""

    when: str  # 'usd_per_m_output > 0.80'
    for_: str = msgspec.field(default="0s", name="for")  # how long it must hold: "90s", "10m", "2h"
    severity: Severity = "warning"
    name: str = ""  # `when` itself unless told

    def rule(self) -> FigureRule:
        """Raises ConditionError for a condition, or a length of time, that cannot be read."""
        return FigureRule(self.name or self.when, _condition(self.when), _duration_s(self.for_), self.severity)


class AlertingSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[alerting]`: what holds for all alerts."""

    keep_firing_s: float = 120.0  # after the condition ended
    info_below_share: float = 0.01  # of what the host's GPUs cost an hour
    warning_from_share: float = 0.05
    critical_from_share: float = 0.20
    bell: Severity | Literal["never"] = "critical"  # the dashboard rings from this severity on


class CommandSection(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="command"
):
    """`[[notify]]`: a program that is run, without a shell."""

    command: tuple[str, ...]
    timeout_s: float = 10.0
    severity: Severity = "info"  # and above


class WebhookSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="webhook"):
    """`[[notify]]`: a receiver of Alertmanager's webhooks."""

    severity: Severity = "info"


class AlertmanagerSection(
    Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="alertmanager"
):
    """`[[notify]]`: an Alertmanager, by its base URL."""

    severity: Severity = "info"


NotifySection = CommandSection | WebhookSection | AlertmanagerSection


class BudgetSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[budget]`: what a month may cost, in the price book's currency."""

    usd_per_month: float | None = None


def policy(alerting: AlertingSection, alerts: Sequence[AlertSection], budget: BudgetSection) -> AlertPolicy:
    """What the alert tracker goes by. The sections have no problems."""
    shares = SeverityShares(alerting.info_below_share, alerting.warning_from_share, alerting.critical_from_share)
    return AlertPolicy(
        figures=tuple(alert.rule() for alert in alerts),
        usd_per_month=budget.usd_per_month,
        keep_firing_s=alerting.keep_firing_s,
        shares=shares,
    )


def problems(
    alerting: AlertingSection,
    alerts: Sequence[AlertSection],
    notify: Sequence[NotifySection],
    budget: BudgetSection,
) -> Iterator[tuple[str, str]]:
    """(path, message) of each value that no alert can go by."""
    yield from _of_alerting(alerting)
    names: set[str] = set()
    for i, alert in enumerate(alerts):
        yield from _of_alert(f"alerts[{i}]", alert, names)
        names.add(alert.name or alert.when)
    for i, outlet in enumerate(notify):
        yield from _of_outlet(f"notify[{i}]", outlet)
    if budget.usd_per_month is not None and not 0 < budget.usd_per_month < math.inf:
        yield "budget.usd_per_month", f"must be above 0, is {budget.usd_per_month}"


def _of_alerting(section: AlertingSection) -> Iterator[tuple[str, str]]:
    if not 0 <= section.keep_firing_s < math.inf:
        yield "alerting.keep_firing_s", f"must be 0 or more, is {section.keep_firing_s}"
    below = 0.0
    for key in ("info_below_share", "warning_from_share", "critical_from_share"):
        share = getattr(section, key)
        if not below <= share <= 1:
            yield f"alerting.{key}", f"must be a share from {below:g} to 1, is {share}: they rise with the severity"
            return
        below = share


def _of_alert(where: str, alert: AlertSection, names: set[str]) -> Iterator[tuple[str, str]]:
    try:
        _condition(alert.when)
    except ConditionError as error:
        yield f"{where}.when", str(error)
    try:
        _duration_s(alert.for_)
    except ConditionError as error:
        yield f"{where}.for", str(error)
    name = alert.name or alert.when
    if name in _TAKEN:
        yield f"{where}.name", f'"{name}" is the name of an alert that there is already'
    if name in names:
        yield f"{where}.name", f'"{name}" is the name of another one of [[alerts]]'
    if len(name) > _LONGEST_NAME or not name.isprintable():
        yield f"{where}.name", f"must be at most {_LONGEST_NAME} printable characters"


def _of_outlet(where: str, outlet: NotifySection) -> Iterator[tuple[str, str]]:
    if not isinstance(outlet, CommandSection):
        if problem := url_problem(outlet.url):
            yield f"{where}.url", problem
        return
    if not outlet.command or not outlet.command[0].startswith("/"):
        yield f"{where}.command", "must begin with the full path of a program: it is run without a shell"
    if not 0 < outlet.timeout_s <= 300:
        yield f"{where}.timeout_s", f"must be above 0 and up to 300 seconds, is {outlet.timeout_s}"


def _condition(text: str) -> Condition:
    # Only a file with conditions in it needs to know every figure there is.
    from tokwatch.ledger.alerts.figures import check_condition

    condition = parse_condition(text)
    check_condition(condition)
    return condition


def _duration_s(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ConditionError(f"{text!r} is no length of time: write 90s, 10m or 2h")
    return float(found[1]) * _SECONDS[found[2]]
