"""What the stored past of the box says, by kind of question: the answers of FakeFeed. One line a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.dashboard.scenes import alert_past, frontier, gpu, inspect, money, server_past, stored_size
from tokwatch.feeds.questions.alert_past import AlertPast
from tokwatch.feeds.questions.cost_past import CostPast
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.feeds.questions.gpu_reasons import GpuReasons
from tokwatch.feeds.questions.gpu_since import GpuSince
from tokwatch.feeds.questions.operating_points import OperatingPoints
from tokwatch.feeds.questions.paid_past import PaidPast
from tokwatch.feeds.questions.prices_at import PricesAt
from tokwatch.feeds.questions.server_past import ServerPast
from tokwatch.feeds.questions.stored_size import StoredSize

ANSWERS: dict[type[object], Callable[[Any], object]] = {
    AlertPast: alert_past.alert_past,
    CostPast: money.cost_past,
    Explanation: inspect.provenance,
    GpuPast: gpu.history,
    GpuReasons: gpu.reasons,
    GpuSince: gpu.first_seen,
    OperatingPoints: frontier.answer,
    PaidPast: money.paid_past,
    PricesAt: money.prices_at,
    ServerPast: server_past.server_past,
    StoredSize: stored_size.stored_size,
}
