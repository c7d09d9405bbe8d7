"""`[focus]`: names for the FOCUS table, and those that no reader of it could take."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import FocusSection, parse


def test_every_name_has_a_default_and_can_be_told() -> None:
    assert parse("", "config.toml").focus == FocusSection()
    told = parse('[focus]\noperator = "ACME"\nregion_id = "eu-1"\n', "config.toml").focus
    assert (told.operator, told.region_id) == ("ACME", "eu-1")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('operator = ""', "focus.operator: must not be empty: FOCUS wants it in every row"),
        ('region_name = "Frankfurt"', "focus.region_name: needs region_id beside it"),
        ('service_name = "a\\u001b[0m"', "focus.service_name: must be at most 256 characters that can be shown"),
        ('zone = "a"', "focus.zone: unknown key"),
    ],
)
def test_a_name_that_cannot_be_is_refused(written: str, told: str) -> None:
    assert refused(f"[focus]\n{written}\n") == f"2: {told}"
