"""Which URLs and log-ins are a target."""

from __future__ import annotations

import pytest

from collectors.credential import Credential, Origin
from collectors.prometheus.target import PrometheusTarget


def test_a_base_url_loses_the_slash_at_its_end() -> None:
    target = PrometheusTarget("https://mimir.example:8443/prometheus/")
    assert (target.url, target.where) == (
        "https://mimir.example:8443/prometheus",
        "mimir.example:8443/prometheus",
    )


@pytest.mark.parametrize(
    "url", ["ftp://a", "file:///etc/passwd", "http://", "http://user:s3cret@a", "http://a/?x=1", "http://a/#x"]
)
def test_what_is_no_base_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError) as raised:
        PrometheusTarget(url)
    assert "s3cret" not in str(raised.value)


def test_a_log_in_of_another_origin_is_refused() -> None:
    credential = Credential(Origin.of("https://a.example"), "bearer", env="TOKEN")
    with pytest.raises(ValueError, match="own origin"):
        PrometheusTarget("https://b.example", credential=credential)


def test_unchecked_certificates_are_told_where_there_are_any() -> None:
    (notice,) = PrometheusTarget("https://a.example", insecure=True).notices
    assert notice.startswith("a.example: certificates are not checked")
    assert PrometheusTarget("http://a.example", insecure=True).notices == ()
