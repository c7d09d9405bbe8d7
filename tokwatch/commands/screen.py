"""What a command tells the dashboard of the terminal and of its user. Light: it comes before the first frame."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tokwatch.dashboard.terminal import Terminal, detect, settle

if TYPE_CHECKING:  # they take longer to import than the first frame may take
    from tokwatch.config import DashboardSection
    from tokwatch.dashboard.appearance import Preferences


def terminal_of(options: argparse.Namespace, section: DashboardSection | None = None) -> Terminal:
    """What it can show. To be called before Textual is imported, which is told the same."""
    told = None if section is None else section.ascii
    slow_link = options.slow_link or (section is not None and section.slow_link)
    terminal = detect(os.environ, ascii_only=True if options.ascii else told, slow_link=slow_link)
    settle(terminal, os.environ)
    return terminal


def preferences_of(options: argparse.Namespace, section: DashboardSection | None = None) -> Preferences:
    """What the user wants. Imports Textual."""
    from tokwatch.dashboard.appearance import Preferences

    told = None if section is None else section.theme
    return Preferences(options.theme or ("light" if options.light else told), config_directory(options))


def config_directory(options: argparse.Namespace) -> Path:
    """Where config.toml is, and with it keys.toml and themes/."""
    named = options.config or os.environ.get("TOKWATCH_CONFIG")
    if named:
        return Path(named).parent
    from platformdirs import user_config_path

    own: Path = user_config_path("tokwatch")
    return own
