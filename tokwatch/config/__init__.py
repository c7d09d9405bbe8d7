"""config.toml: one section a file. Types and checks only; what they mean is in the ledger."""

from tokwatch.config.dashboard import DashboardSection
from tokwatch.config.endpoints import Endpoint, MeterSection, ServerSection
from tokwatch.config.errors import ConfigError
from tokwatch.config.focus import FocusSection
from tokwatch.config.prices import PriceSection
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.config.reading import Config, load, parse
from tokwatch.config.retention import RetentionSection
from tokwatch.config.slo import SloLimits, SloSection

__all__ = [
    "Config",
    "ConfigError",
    "DashboardSection",
    "Endpoint",
    "FocusSection",
    "MeterSection",
    "PriceSection",
    "PrometheusSection",
    "RetentionSection",
    "ServerSection",
    "SloLimits",
    "SloSection",
    "load",
    "parse",
]
