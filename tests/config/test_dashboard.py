from __future__ import annotations

import pytest

from tokwatch.config import ConfigError, DashboardSection, parse


def test_without_the_section_the_terminal_and_the_last_run_decide() -> None:
    assert parse("", "config.toml").dashboard == DashboardSection(theme=None, ascii=None, slow_link=False)


def test_the_section_says_how_screens_look() -> None:
    text = '[dashboard]\ntheme = "colour-blind-dark"\nascii = true\nslow_link = true\n'
    assert parse(text, "config.toml").dashboard == DashboardSection("colour-blind-dark", True, True)


@pytest.mark.parametrize("theme", ["", "../dark", "Dark", "a" * 40])
def test_what_can_be_no_theme_is_refused_with_its_line(theme: str) -> None:
    with pytest.raises(ConfigError, match=r"config.toml:2: dashboard.theme: must be the name of a theme"):
        parse(f'[dashboard]\ntheme = "{theme}"\n', "config.toml")
