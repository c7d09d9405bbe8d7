"""Alerts on a figure and on the month's budget, as the config words them."""

from __future__ import annotations

from tests.scenarios.box import ScriptedBox

TOO_DEAR = '[[alerts]]\nname = "too dear"\nwhen = "usd_per_m_output > 0.80"\nfor = "10m"\n'
BUDGET = "[budget]\nusd_per_month = 3.0\n"


async def test_tokens_that_are_too_dear_for_ten_minutes_are_an_alert(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour, box.sections = 20, 2.0, TOO_DEAR
    server = box.server("org/big", box.gpu())
    server.serves(0, 300, tok_s=900)  # 0.62 $/M
    server.serves(300, 500, tok_s=300)  # 1.85 $/M, not for long enough
    server.serves(500, 800, tok_s=900)
    server.serves(800, 1800, tok_s=300)
    server.serves(1800, 2400, tok_s=900)

    now = await box.at(1700)
    alert = now.alerts["too dear"]
    assert (alert.state, alert.gpus, alert.severity) == ("", (), "warning")
    assert alert.text == "usd_per_m_output > 0.8: it is 1.852"
    now = await box.at(2000)
    assert now.transitions("too dear") == [
        (360, "pending", "warning"),
        (560, "resolved", "warning"),
        (860, "pending", "warning"),
        (1460, "firing", "warning"),
        (1860, "resolving", "warning"),
        (1980, "resolved", "warning"),
    ]


async def test_a_month_that_will_cost_more_than_its_budget_is_told_after_an_hour_and_is_critical_once_spent(
    box: ScriptedBox,
) -> None:
    box.interval_s, box.usd_per_gpu_hour, box.sections = 60, 2.0, BUDGET
    box.gpu()
    now = await box.at(4500)
    assert now.alerts["budget"].text == "2 of 3 spent, 456 by the month's end"  # nine days and a half at 48 $
    now = await box.at(5520)
    assert now.alerts["budget"].text == "3 of 3 spent, 456 by the month's end"
    assert now.transitions("budget") == [
        (3660, "pending", "warning"),
        (3720, "firing", "warning"),
        (5460, "firing", "critical"),
    ]
