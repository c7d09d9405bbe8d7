"""What engines tell of themselves on a page of their own, and what is never taken from there."""

from __future__ import annotations

import json

import pytest

from collectors.engine_info import INFO_PAGES, MAX_BYTES, info_url, read_info

# Answers of a real llama-server 0.5.0-dev and, shortened, of SGLang's server_info by its ServerArgs.
PROPS = {
    "default_generation_settings": {"n_ctx": 2048},
    "total_slots": 4,
    "model_alias": "tiny-llama",
    "model_ftype": "all F32",
    "model_path": "/srv/models/tiny-llama.gguf",
    "chat_template": "{% for m in messages %}…",
    "build_info": "b1-0c1e570",
}
SERVER_INFO = {
    "version": "0.5.23",
    "model_path": "/models/Qwen3-32B",
    "served_model_name": "Qwen3-32B",
    "tp_size": 4,
    "pp_size": 1,
    "dp_size": 2,
    "ep_size": 1,
    "dtype": "auto",
    "quantization": "fp8",
    "kv_cache_dtype": "fp8_e5m2",
    "speculative_algorithm": None,
    "disaggregation_mode": "null",
    "api_key": "sk-secret",
}


def told(engine: str, answer: object) -> dict[str, str]:
    return read_info(engine, json.dumps(answer).encode())


def test_llama_server_tells_its_build_model_and_slots() -> None:
    assert told("llama.cpp", PROPS) == {
        "engine version": "b1-0c1e570",
        "model": "tiny-llama",
        "quantisation": "all F32",
        "slots": "4",
    }


def test_a_model_named_by_its_path_loses_the_path() -> None:
    assert told("llama.cpp", {"model_path": "/home/someone/models/tiny.gguf"}) == {"model": "tiny.gguf"}
    assert told("tgi", {"model_id": "meta-llama/Llama-3.1-8B"}) == {"model": "meta-llama/Llama-3.1-8B"}


def test_sglang_tells_its_parallel_sizes_and_nothing_of_what_is_not_set() -> None:
    assert told("sglang", SERVER_INFO) == {
        "engine version": "0.5.23",
        "model": "Qwen3-32B",
        "tensor parallel": "4",
        "pipeline parallel": "1",
        "data parallel": "2",
        "expert parallel": "1",
        "quantisation": "fp8",
        "KV cache precision": "fp8_e5m2",
    }


@pytest.mark.parametrize("engine", INFO_PAGES)
@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"<html>", b"\xff", b'{"version": {"deep": 1}}', b"null"])
def test_an_answer_that_is_no_object_of_plain_values_tells_nothing(engine: str, body: bytes) -> None:
    assert read_info(engine, body) == {}


def test_what_is_told_is_cleaned_and_short() -> None:
    (version,) = told("vllm", {"version": "0.32\x1b[31m" + "x" * 500}).values()
    assert "\x1b" not in version
    assert len(version) <= 64


def test_the_page_lies_beside_the_metrics_without_their_query() -> None:
    assert info_url("vllm", "http://127.0.0.1:8000/metrics?key=1") == "http://127.0.0.1:8000/version"
    assert info_url("triton", "http://127.0.0.1:8002/metrics") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"version":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"version":' + b"9" * 5000 + b"}",
        b'{"version": 1e400}',
        b'{"version": NaN}',
        b'{"version": "\\ud800"}',
        b'{"version": {"version": "1"}}',
        b'{"version": "1", "rest": "' + b"x" * MAX_BYTES + b'"}',
        b"\xff" * 100,
    ],
    ids=["brackets", "digits", "huge", "nan", "surrogate", "object", "long", "binary"],
)
def test_an_answer_that_is_meant_to_hurt_tells_nothing(body: bytes) -> None:
    assert read_info("vllm", body) == {}
