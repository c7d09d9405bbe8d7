"""Lets the checks in modules that are no tests say what they compared."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.real.served", "tests.real.recording")
