"""What is read from a command line, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.discovery.command_line import Launch, is_worker, part_of, recognise
from collectors.discovery.engines import ENGINES

SECRET = "sk-5ecret-5ecret"


def launch(command: str) -> Launch:
    found = recognise(command.split())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("command", "engine"),
    [
        ("/venv/bin/vllm serve Qwen/Qwen3-8B", "vllm"),
        ("/venv/bin/python3.12 /venv/bin/vllm serve Qwen/Qwen3-8B", "vllm"),
        ("python3 -u -X dev -m vllm.entrypoints.openai.api_server --model m", "vllm"),
        ("python /src/vllm/vllm/entrypoints/openai/api_server.py --model m", "vllm"),
        ("/opt/llama.cpp/build/bin/llama-server -m m.gguf", "llama.cpp"),
        ("python -m sglang.launch_server --model-path m", "sglang"),
        ("text-generation-launcher --model-id m", "tgi"),
        ("python3 /usr/local/bin/trtllm-serve m", "tensorrt-llm"),
        ("tritonserver --model-repository=/models", "triton"),
        ("python3 -m dynamo.frontend", "dynamo"),
        ("python3 -m dynamo.vllm --model m", "dynamo-worker"),
        ("/usr/local/bin/ollama serve", "ollama"),
    ],
)
def test_each_engine_is_recognised_by_the_program_it_runs(command: str, engine: str) -> None:
    assert launch(command).engine.name == engine


@pytest.mark.parametrize(
    "command",
    [
        "",
        "vllm",
        "vllm bench serve",
        "grep vllm serve",
        "sh vllm serve",
        "python -c vllm",
        "python -m vllm",
        "python -m",
        "vim vllm/entrypoints/openai/api_server.py.md",
        "ollama run llama3",
    ],
)
def test_a_command_that_only_mentions_an_engine_is_no_server(command: str) -> None:
    assert recognise(command.split()) is None


def test_the_title_of_a_part_names_its_engine() -> None:
    assert part_of(["VLLM::Worker_TP0"]) is not None
    assert is_worker(["VLLM::EngineCore"])
    assert is_worker(["sglang::scheduler_TP0", "", ""])
    assert not is_worker(["VLLM::APIServer_1"])
    assert part_of(["vllm", "serve"]) is None
    assert part_of([]) is None


@pytest.mark.parametrize(
    ("command", "sizes"),
    [
        ("vllm serve m -tp 4 -pp=2 --data-parallel-size 8", (4, 2, 8)),
        ("vllm serve m --tensor_parallel_size=2", (2, None, None)),
        ("python -m sglang.launch_server --tp 8 --dp-size=2", (8, None, 2)),
        ("trtllm-serve m --tp_size 4 --pp_size 2", (4, 2, None)),
        ("text-generation-launcher --num-shard 2", (2, None, None)),
        ("vllm serve m -tp four -pp -1 -dp 0", (None, None, None)),
        ("vllm serve m -tp", (None, None, None)),
    ],
)
def test_parallel_sizes_are_read_in_every_spelling(command: str, sizes: tuple[int | None, ...]) -> None:
    found = launch(command)
    assert (found.tensor_parallel, found.pipeline_parallel, found.data_parallel) == sizes


@pytest.mark.parametrize(
    ("command", "model"),
    [
        ("vllm serve Qwen/Qwen3-8B --port 1", "Qwen/Qwen3-8B"),
        ("vllm serve --port 1 Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("vllm serve Qwen/Qwen3-8B --served-model-name chat big", "chat"),
        ("python -m vllm.entrypoints.openai.api_server --model=org/m", "org/m"),
        ("llama-server -m /home/me/models/qwen-0.5b.gguf", "qwen-0.5b.gguf"),
        ("llama-server -m /m.gguf --alias tiny,small", "tiny"),
        ("llama-server -hf ggml-org/gemma:Q4", "ggml-org/gemma:Q4"),
        ("trtllm-serve serve org/m", "org/m"),
        ("tritonserver --model-repository=/models", None),
        ("vllm serve s3://key:wo/rd@bucket/m?signature=abc", "s3://bucket/m"),
    ],
)
def test_the_model_is_the_served_name_else_the_model(command: str, model: str | None) -> None:
    assert launch(command).model == model


def test_a_bare_word_behind_an_unknown_flag_may_be_its_value_and_is_not_the_model() -> None:
    assert launch(f"vllm serve --api-key {SECRET}").model is None
    assert launch(f"vllm serve --model --api-key {SECRET}").model is None


@pytest.mark.parametrize(
    "argument",
    [
        f"Qwen --api-key {SECRET}",
        f"Qwen\n{SECRET}",
        f"Qwen /{SECRET}",
        f"Qwen\0--api-key\0{SECRET}",
        f"Qwen?token={SECRET}",
    ],
)
def test_a_model_name_does_not_swallow_what_follows_it(argument: str) -> None:
    for argv in (["vllm", "serve", argument], ["llama-server", "-m", argument], ["vllm", "serve", "--model", argument]):
        found = recognise(argv)
        assert found is not None
        assert found.model == "Qwen"


def test_a_models_name_is_cleaned() -> None:
    found = recognise(["vllm", "serve", "Qwen\x1b[31m\udcff"])
    assert found is not None
    assert found.model == "Qwen\ufffd[31m\ufffd"


def test_precision_is_told_by_flag_and_odd_values_are_left_out() -> None:
    found = launch("vllm serve m --dtype bfloat16 --kv-cache-dtype=fp8 -q [red]")
    assert found.precision == "bfloat16, kv cache dtype fp8"


@pytest.mark.parametrize(
    ("command", "variables", "has_page"),
    [
        ("vllm serve m", {}, True),
        ("llama-server -m m.gguf", {}, False),
        ("llama-server -m m.gguf --metrics", {}, True),
        ("llama-server -m m.gguf", {"LLAMA_ARG_ENDPOINT_METRICS": "1"}, True),
        ("llama-server -m m.gguf", {"LLAMA_ARG_ENDPOINT_METRICS": "0"}, False),
        ("python -m sglang.launch_server", {}, False),
        ("python -m sglang.launch_server --enable-metrics", {}, True),
        ("python -m sglang.launch_server --config run.yaml", {}, True),  # the switch may be in the file
        ("ollama serve", {}, False),
    ],
)
def test_a_page_exists_only_where_the_engine_was_told_to_show_it(
    command: str, variables: dict[str, str], has_page: bool
) -> None:
    assert launch(command).has_page(variables, 8000) is has_page


def test_a_page_on_a_port_of_its_own_is_not_looked_for_elsewhere() -> None:
    found = launch("tritonserver --metrics-port 9002")
    assert found.has_page({}, 9002)
    assert not found.has_page({}, 8000)


def test_the_expected_port_is_the_flag_then_the_variable_then_the_default() -> None:
    assert launch("text-generation-launcher --port 81").page_port({"PORT": "80"}) == 81
    assert launch("text-generation-launcher").page_port({"PORT": "80"}) == 80
    assert launch("text-generation-launcher").page_port({"PORT": "eighty"}) == 3000
    assert launch("python -m dynamo.vllm").page_port({"DYN_SYSTEM_PORT": "-1"}) is None
    assert launch("vllm serve m --port 65536").page_port({}) == 8000


WORDS = st.sampled_from(
    [
        *sorted({flag for engine in ENGINES for flag in engine.flags_with_value}),
        *("--metrics", "--config", "8000", "fp8", "org/model", "--flag=value", "-x", "", "--"),
    ]
)
SECRETS = st.sampled_from([["--api-key", SECRET], [f"--api-key={SECRET}"], ["--hf_token", SECRET], ["-hft", SECRET]])
LAUNCHES = st.sampled_from([pattern.split() for engine in ENGINES for pattern in engine.launched_by])


@given(LAUNCHES, st.lists(WORDS, max_size=8), SECRETS, st.lists(WORDS, max_size=8))
def test_a_key_on_the_command_line_is_never_part_of_what_is_read(
    program: list[str], before: list[str], secret: list[str], after: list[str]
) -> None:
    python = ["python"] if program[0] == "-m" else []
    found = recognise([*python, *program, *before, *secret, *after])
    assert SECRET not in repr(found)


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()))))
def test_no_words_at_all_make_the_reader_fail(words: list[str]) -> None:
    for program in ([], ["vllm", "serve"], ["python", "-m"]):
        recognise([*program, *words])
        part_of([*program, *words])


@pytest.mark.parametrize(
    ("argv", "role"),
    [
        (["python3", "-m", "sglang.launch_server", "--disaggregation-mode", "prefill"], "prefill"),
        (["python3", "-m", "sglang.launch_server", "--disaggregation-mode", "null"], ""),
        (["python3", "-m", "dynamo.vllm", "--model", "m", "--is-prefill-worker"], "prefill"),
        (["python3", "-m", "dynamo.mocker", "--disaggregation-mode=decode"], "decode"),
        (["lmdeploy", "serve", "api_server", "m", "--role", "Prefill"], "prefill"),
        (["vllm", "serve", "m"], ""),
    ],
)
def test_the_role_in_a_disaggregated_pair_is_read(argv: list[str], role: str) -> None:
    found = recognise(argv)
    assert found is not None
    assert found.role == role


def test_both_workers_of_a_dynamo_pair_are_of_one_model() -> None:
    """The mocker names it by another flag than the engines."""
    for role in ("prefill", "decode"):
        words = ["--model-path", "/models/q", "--model-name", "qwen", "--disaggregation-mode", role]
        found = recognise(["python3", "-m", "dynamo.mocker", *words])
        assert found is not None
        assert (found.model, found.role) == ("qwen", role)


def test_expert_parallel_and_speculation_are_facts() -> None:
    found = recognise(["sglang", "serve", "--ep-size", "8", "--speculative-algorithm", "EAGLE3"])
    assert found is not None
    assert (found.expert_parallel, found.speculation) == (8, "EAGLE3")
