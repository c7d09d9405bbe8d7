"""Retry-After, as servers and proxies write it, and refusals that try to be something else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.labels import clean_label
from collectors.prometheus.query_error import refused, retry_after_s
from collectors.scrape_error import Failure

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("Sun, 22 Nov 2026 03:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 03:00:30 -0000", 30),
        ("Sun, 22 Nov 2026 02:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_a_number_of_seconds_or_a_date(told: str, seconds: float | None) -> None:
    assert retry_after_s(told, NOW) == seconds


@given(st.text(max_size=40))
@example("9" * 400)
@example("Sun, 22 Nov 99999999999999999999 03:00:30 GMT")
@example("Sun, 22 Nov 2026 03:00:30 +9999999999")
def test_any_text_is_a_time_from_now_or_none(told: str) -> None:
    seconds = retry_after_s(told, NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(201, 599), st.binary(max_size=80), st.text(max_size=20))
@example(502, b'{"error":"x","z":' + b"[" * 200_000, "")
def test_every_refusal_has_short_clean_words(status: int, body: bytes, location: str) -> None:
    error = refused("prom:9090", status, {"location": location}, body)
    assert str(error).startswith("prom:9090 ")
    assert clean_label(str(error), 500) == str(error)
    assert error.failure in Failure
