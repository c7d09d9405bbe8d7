"""How grave an idle alert is: by what part of the host's cost its GPUs are."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


@pytest.mark.parametrize(
    ("idle_usd", "severities"),
    [
        (0.01, ["info", "info"]),  # 0.5 % of the cost: told, and never more
        (0.06, ["info", "warning"]),  # 2.9 %: as the half hour goes by
        (0.20, ["warning", "warning"]),  # 9.1 %
        (2.00, ["critical", "critical"]),  # half
    ],
)
async def test_an_idle_gpu_is_the_graver_the_dearer_it_is(
    box: ScriptedBox, idle_usd: float, severities: list[str]
) -> None:
    box.interval_s = 30
    idle, busy = box.gpu(), box.gpu()
    box.sections = f'[prices]\nusd_per_gpu_hour = 2.0\ngpu = {{ "{idle.uuid}" = {idle_usd} }}\n'
    box.server("org/small", idle)
    box.server("org/big", busy).serves(0, 3600, tok_s=900)
    found = [(await box.at(at_s)).alerts["parked"].severity for at_s in (400, 1900)]
    assert found == severities
