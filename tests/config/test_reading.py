"""config.toml: what it gives, and errors that name the file, the line and the path in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokwatch.config import Config, ConfigError, ServerSection, load, parse
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.slo import Slo

FULL = """
interval_s = 2.0
host = "dgx-03"

[prices]
currency = "EUR"
usd_per_gpu_hour = 2.35
effective_from = 2026-11-01T00:00:00Z

[prices.gpu]
"NVIDIA H100 80GB HBM3" = 2.99
GPU-0000 = 0

[slo]
ttft_s = 0.5

[states]
parked_after_s = 60

[[servers]]
url = "http://127.0.0.1:8000/metrics"
gpus = [0, "GPU-11111111"]

[[servers]]
url = "https://inference.example/metrics"
token_env = "TOKEN"
"""


def refused(text: str) -> str:
    """The message of a text that is not accepted."""
    with pytest.raises(ConfigError) as error:
        parse(text, "config.toml")
    return str(error.value)


def test_a_full_file() -> None:
    config = parse(FULL, "config.toml")
    assert (config.interval_s, config.host, config.slo.ttft_s, config.states.parked_after_s) == (2.0, "dgx-03", 0.5, 60)
    assert config.prices.prices() == Prices("EUR", 2.35, {"NVIDIA H100 80GB HBM3": 2.99, "GPU-0000": 0})
    assert config.prices.effective_from_ms() == 1_793_491_200_000
    assert config.servers[0] == ServerSection(url="http://127.0.0.1:8000/metrics", gpus=(0, "GPU-11111111"))


def test_a_servers_deployment_role_and_size_are_declared() -> None:
    text = """
[[servers]]
url = "http://10.0.0.7:8000"
deployment = "deepseek"
role = "prefill"
counts = false
tensor_parallel = 8
"""
    section = parse(text, "config.toml").servers[0]
    assert (section.deployment, section.role, section.counts, section.tensor_parallel) == (
        "deepseek",
        "prefill",
        False,
        8,
    )


@pytest.mark.parametrize(("line", "where"), [('role = "decoder"', "role"), ("tensor_parallel = 0", "tensor_parallel")])
def test_a_role_or_size_that_cannot_be_is_refused_where_it_stands(line: str, where: str) -> None:
    message = refused(f'[[servers]]\nurl = "http://a:1"\n{line}\n')
    assert message.startswith("config.toml:3: servers[0]." + where)


def test_an_empty_file_is_all_defaults_and_names_no_price() -> None:
    config = parse("", "config.toml")
    assert config == Config()
    assert (config.prices.prices(), config.prices.effective_from_ms()) == (None, None)


def test_a_time_without_a_zone_is_utc() -> None:
    config = parse("[prices]\neffective_from = 2026-11-01T00:00:00", "config.toml")
    assert config.prices.effective_from_ms() == 1_793_491_200_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("intervall_s = 1", "config.toml:1: intervall_s: unknown key"),
        ("\n\n[price]\nusd = 1", "config.toml:3: price: unknown key"),
        ("[prices]\n# dear\nusd_per_hour = 2", "config.toml:3: prices.usd_per_hour: unknown key"),
        ('interval_s = "1"', "config.toml:1: interval_s: Expected `float`, got `str`"),
        ("[prices]\ncurrency = 5", "config.toml:2: prices.currency: Expected `str`, got `int`"),
        (
            "[prices]\nusd_per_gpu_hour = true",
            "config.toml:2: prices.usd_per_gpu_hour: Expected `float | null`, got `bool`",
        ),
        ('host = "x"\nprices = {currency = 5}', "config.toml:2: prices.currency: Expected `str`, got `int`"),
        ("prices.currency = 5", "config.toml:1: prices.currency: Expected `str`, got `int`"),
        ("[prices.gpu]\nA = 1\nB = 'x'\nC = 2", "config.toml:3: prices.gpu[...]: Expected `float`, got `str`"),
        ("[slo]\nttft_s = 0", "config.toml:2: slo.ttft_s: must be above 0, is 0.0"),
        ("[slo]\ntpot_s = nan", "config.toml:2: slo.tpot_s: must be above 0, is nan"),
        ("[slo]\ntarget = 99", "config.toml:2: slo.target: must be a share above 0 and up to 1, is 99.0"),
        ("[slo]\n[slo.models.m]\ne2e_s = -1", 'config.toml:3: slo.models."m".e2e_s: must be above 0, is -1.0'),
        ("[states]\n\nlost_after_s = -1", "config.toml:3: states.lost_after_s: must be 0 or more, is -1.0"),
        ("interval_s = 0.01", "config.toml:1: interval_s: must lie between 0.1 and 60 seconds, is 0.01"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_path(text: str, message: str) -> None:
    assert refused(text) == message


def test_a_negative_price_is_told_with_its_line_and_what_to_do() -> None:
    why = "a GPU-hour cannot cost -2.0: give a price between 0 and 10 000"
    assert refused("[prices]\nusd_per_gpu_hour = -2") == f"config.toml:2: prices.usd_per_gpu_hour: {why}"
    text = "[slo]\n\n[prices.gpu]\nGPU-a = 1\n'NVIDIA L4' = -2\n"
    assert refused(text) == f'config.toml:5: prices.gpu."NVIDIA L4": {why}'


def test_a_preset_gives_the_limits_that_are_not_written() -> None:
    preset = parse('[slo]\npreset = "mlperf-interactive:llama-2-70b"', "config.toml")
    assert preset.slo.slo() == Slo(0.45, 0.04, target=0.99)
    changed = parse('[slo]\npreset = "mlperf-server:llama-3.1-8b"\nttft_s = 1\ne2e_s = 30\ntarget = 0.9', "config.toml")
    assert changed.slo.slo() == Slo(1.0, 0.1, 30.0, 0.9)


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    message = refused('[slo]\npreset = "mlperf-interactive:mixtral-8x7b"')
    assert message.startswith(
        'config.toml:2: slo.preset: there is no "mlperf-interactive:mixtral-8x7b": the presets are '
    )
    assert "mlperf-interactive:deepseek-r1, mlperf-interactive:gpt-oss-120b" in message
    assert "mlperf-server:mixtral-8x7b" in message


def test_a_model_may_have_limits_of_its_own() -> None:
    text = '[slo]\nttft_s = 2\n[slo.models."Qwen/Qwen3-32B"]\npreset = "mlperf-server:gpt-oss-120b"\ntpot_s = 0.05'
    settings = parse(text, "config.toml").settings()
    assert settings.slo("Qwen/Qwen3-32B") == Slo(3.0, 0.05)
    assert settings.slo("any other") == Slo(2.0)


def test_what_a_snapshot_depends_on_is_in_the_settings() -> None:
    settings = parse("interval_s = 2\n[slo]\nttft_s = 0.5\ntarget = 0.9", "config.toml").settings()
    assert settings == SettingsBody(2.0, slo_ttft_s=0.5, slo_target=0.9)


SERVERS = """
[[servers]]
url = "http://a:1/metrics"
engine = "vllm"

[[servers]]
{}

[[servers]]
url = "http://c:1/metrics"
engine = "vllm"
"""


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('url = "http://b:1"\nengine = 5', "8: servers[1].engine: Expected `str`, got `int`"),
        ('engine = 5\nurl = "http://b:1"', "7: servers[1].engine: Expected `str`, got `int`"),
        ('url = "http://b:1"\nurls = ""', "8: servers[1].urls: unknown key"),
        ('engine = "vllm"', "6: servers[1]: Object missing required field `url`"),
        ('url = "http://b:1"\ngpus = [0, 1.5]', "8: servers[1].gpus[1]: Expected `int | str`, got `float`"),
        ('engine = ""\nurl = "ftp://b:1"', "8: servers[1].url: must start with http:// or https://"),
    ],
)
def test_the_line_is_that_of_the_right_one_of_several_tables(second: str, message: str) -> None:
    assert refused(SERVERS.format(second)) == f"config.toml:{message}"


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    assert refused("host = 'x' # a\u2028c\r\n\r\n[slo]\r\nttft_s = 0\r\n").startswith("config.toml:4: slo.ttft_s")
    assert refused('host = """\n[slo]\nttft_s = 0\n"""\n[slo]\nttft_s = 0').startswith("config.toml:6: slo.ttft_s")


def test_a_password_in_a_url_is_not_told() -> None:
    assert "hunter2" not in refused("[[servers]]\nurl = 'htp://me:hunter2@b:1'")


def test_bad_toml_is_told_with_its_line() -> None:
    assert refused("interval_s = 1\nhost = = 2") == "config.toml: Invalid value (at line 2, column 8)"
    assert refused("interval_s = 1\nhost = ") == "config.toml: Invalid value (at end of document)"


@pytest.mark.parametrize(
    "text", ["interval_s = " + "9" * 5000, "host = " + "[" * 5000, "[slo]\nttft_s = " + "{a=" * 3000 + "1" + "}" * 3000]
)
def test_what_the_toml_parser_chokes_on_is_told_as_bad_toml(text: str) -> None:
    assert len(refused(text)) < 200


@pytest.mark.parametrize("window_s", ["0", "1e-320", "1e308", "nan", "-30"])
def test_an_evidence_window_that_no_state_can_be_judged_in_is_refused(window_s: str) -> None:
    message = "config.toml:2: states.evidence_window_s: must lie between 1 and 3600 seconds, is "
    assert refused(f"[states]\nevidence_window_s = {window_s}").startswith(message)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2206-11-01T00:00:00Z"])
def test_a_price_of_another_age_is_refused(when: str) -> None:
    message = refused(f"[prices]\nusd_per_gpu_hour = 1\neffective_from = {when}")
    assert message.startswith("config.toml:3: prices.effective_from: must lie between 2000 and 2200, is ")


def test_a_file_is_read_or_the_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError, match=f"{path}: no such file"):
        load(path)
    path.write_text(FULL, encoding="utf-8")
    assert load(path).host == "dgx-03"
    path.write_bytes(b'host = "\xff"')
    with pytest.raises(ConfigError, match=f"{path}: cannot be read: .*utf-8"):
        load(path)
    with pytest.raises(ConfigError, match=f"{tmp_path}: cannot be read"):
        load(tmp_path)
