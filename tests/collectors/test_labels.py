"""What clean_label lets through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.labels import clean_label

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize(
    "name", ["Qwen/Qwen3-32B-FP8", "模型-7B", "modèle à moitié", "🦙 llama", "a b", "[red]x[/red]"]
)
def test_an_honest_name_is_kept(name: str) -> None:
    assert clean_label(name) == name


@pytest.mark.parametrize(
    "code",
    [
        *(0x00, 0x07, 0x0A, 0x0D, 0x1B, 0x7F, 0x80, 0x9B, 0x9D),  # C0, DEL, C1
        *(0xAD, 0x200B, 0x200D, 0x2060, 0xFE0F, 0xFEFF),  # zero width
        *(0x61C, 0x200E, 0x202E, 0x2066, 0x2069),  # bidi
        *(0x2028, 0x2029, 0xD800, 0xDFFF, 0xE0001, 0xE0041, 0xE007F),  # separators, surrogates, tags
    ],
)
def test_a_character_that_could_fool_a_terminal_is_replaced(code: int) -> None:
    assert clean_label(f"a{chr(code)}b") == "a\ufffdb"


@given(ANY_TEXT)
def test_no_control_format_or_separator_is_left(text: str) -> None:
    visible_format = (
        set("؀؁؂؃؄؅۝܏࢐࢑࣢𑂽𑃍") | {chr(c) for c in range(0x13430, 0x13460)} | {chr(c) for c in range(0x1BCA0, 0x1BCA4)}
    )  # signs that are drawn, though Unicode files them under "format"
    left = [c for c in clean_label(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert set(left) <= visible_format


@given(ANY_TEXT)
def test_the_result_can_be_encoded(text: str) -> None:
    clean_label(text).encode("utf-8")


@given(ANY_TEXT, st.integers(1, 40))
def test_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    once = clean_label(text, limit)
    assert clean_label(once, limit) == once
    assert len(once) <= limit


def test_a_cut_is_shown() -> None:
    assert clean_label("x" * 300) == "x" * 255 + "…"
    assert clean_label("x" * 256) == "x" * 256
