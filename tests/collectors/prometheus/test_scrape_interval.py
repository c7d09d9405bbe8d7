"""The scrape interval, out of a configuration as servers print it and out of sample times."""

from __future__ import annotations

import pytest

from collectors.prometheus.answers import Matrix
from collectors.prometheus.scrape_interval import configured_interval_s, spacing_s

# As Prometheus 2.42 prints it.
CONFIG = """global:
  scrape_interval: 1m30s
  scrape_timeout: 10s
  evaluation_interval: 1m
scrape_configs:
- job_name: dcgm
  honor_timestamps: true
  scrape_interval: 15s
  scrape_timeout: 10s
  static_configs:
  - targets:
    - 127.0.0.1:9400
- job_name: "two words"
  scrape_interval: 500ms
  relabel_configs:
  - separator: ;
    regex: scrape_interval
    replacement: $1
"""


@pytest.mark.parametrize(
    ("job", "seconds"), [("dcgm", 15.0), ("two words", 0.5), ("", 90.0), ("of another server", 90.0)]
)
def test_a_jobs_own_interval_goes_before_the_global_one(job: str, seconds: float) -> None:
    assert configured_interval_s(CONFIG, job) == seconds


@pytest.mark.parametrize("yaml", ["", "scrape_configs: []\n", "global:\n  scrape_interval: soon\n", "<html>"])
def test_a_configuration_without_one_tells_none(yaml: str) -> None:
    assert configured_interval_s(yaml) is None


def matrix(*times_s: tuple[float, ...]) -> Matrix:
    return Matrix(({},) * len(times_s), times_s, times_s)


def test_sample_times_tell_the_median_spacing() -> None:
    assert spacing_s(matrix((0.0, 15.001, 29.998, 45.0, 90.0, 105.0))) == 15.0
    assert spacing_s(matrix((0.0, 0.25, 0.5))) == 0.25


def test_one_sample_tells_nothing() -> None:
    assert spacing_s(matrix((5.0,), ())) is None
