"""`[[capacity]]` and `[frontier]`: what reaches the settings, and figures that nothing can be measured against."""

from __future__ import annotations

import pytest

from tokwatch.config import ConfigError, parse
from tokwatch.ledger.capacity.capacity import DeclaredCapacity
from tokwatch.ledger.capacity.frontier import Box

WHOLE = """
[[capacity]]
model = "Qwen3-32B"
tok_s_per_gpu = 1500
source = "own benchmark of 2 November"

[frontier]
tok_s_per_user_at_least = 40
usd_per_m_output_at_most = 0.5

[[frontier.references]]
file = "~/bench.zip"
where = { hardware = "h200", isl = 1024 }
"""


def test_capacity_and_box_are_settings_that_a_snapshot_depends_on() -> None:
    settings = parse(WHOLE, "config.toml").settings()
    assert settings.capacity == (DeclaredCapacity(1500, "own benchmark of 2 November", model="Qwen3-32B"),)
    assert settings.box == Box(40, 0.5)


def test_without_them_nothing_is_declared_and_there_is_no_box() -> None:
    settings = parse("", "config.toml").settings()
    assert (settings.capacity, settings.box) == ((), Box())


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("source = 'x'\ntok_s_per_gpu = 1", "capacity[0]: name either a deployment or a model"),
        ("model = 'm'\nsource = 'x'\ntok_s_per_gpu = -1", "capacity[0].tok_s_per_gpu: must be above 0, is -1.0"),
        ("model = 'm'\nsource = 'x'\ntok_s_per_gpu = inf", "capacity[0].tok_s_per_gpu: must be above 0, is inf"),
        ("model = 'm'\nsource = ' '\ntok_s_per_gpu = 1", "capacity[0].source: say where the figure is from"),
        ("model = 'm'\ntok_s_per_gpu = 1", "missing required field `source`"),
    ],
)
def test_a_capacity_that_says_too_little_is_an_error(written: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(f"[[capacity]]\n{written}\n", "config.toml")
    assert told in str(error.value)


def test_two_capacities_of_one_model_are_an_error() -> None:
    one = "[[capacity]]\nmodel = 'm'\nsource = 'x'\ntok_s_per_gpu = 1\n"
    with pytest.raises(ConfigError, match=r"config.toml:8: capacity\[1\]: 'm' has a capacity already"):
        parse(one + one, "config.toml")


@pytest.mark.parametrize("key", ["tok_s_per_user_at_least", "usd_per_m_output_at_most"])
def test_a_box_of_nothing_is_an_error(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"config.toml:2: frontier.{key}: must be above 0, is 0"):
        parse(f"[frontier]\n{key} = 0\n", "config.toml")


def test_a_references_file_is_named_by_its_whole_path() -> None:
    with pytest.raises(ConfigError, match=r"frontier.references\[0\].file: write the whole path"):
        parse("[[frontier.references]]\nfile = 'bench.csv'\n", "config.toml")
