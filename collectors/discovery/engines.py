"""How each inference engine looks on a command line: one row an engine. A new engine is a new row.

Sources: each engine's argument parser and documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine's vocabulary of the command line. Flags are written with dashes; underscores are read as dashes."""

    name: str  # as in ServerFacts.engine
    launched_by: tuple[str, ...]  # "program subcommand" or "-m module"
    default_port: int | None
    port: tuple[str, ...] = ("--port",)  # of the metrics page; where that is the API port, of the API
    port_variable: str | None = None
    title: str | None = None  # how the process titles of all its parts begin …
    worker_titles: tuple[str, ...] = ()  # … and of those parts that never listen for requests
    served_name: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    model_file: tuple[str, ...] = ()  # a path whose last part names the model
    first_word_is_model: bool = False
    tensor_parallel: tuple[str, ...] = ()
    pipeline_parallel: tuple[str, ...] = ()
    data_parallel: tuple[str, ...] = ()
    expert_parallel: tuple[str, ...] = ()
    role: tuple[str, ...] = ()  # flags whose value is the role in a disaggregated pair …
    role_switches: Mapping[str, str] = field(default_factory=dict)  # … or which name it by being there
    speculation: tuple[str, ...] = ()  # flags that name the way of drafting, or the draft model
    precision: tuple[str, ...] = ()
    tls: tuple[str, ...] = ()  # flags that turn the port into https
    metrics_path: str | None = "/metrics"  # None: the engine has no page
    metrics_switch: str | None = None  # the page exists only with this flag …
    metrics_variable: str | None = None  # … or this variable
    metrics_on_own_port: bool = False  # no socket on that port, no page
    no_metrics_hint: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Programs, packages and titles, one of which every command line of the engine has in it."""
        programs = (pattern.removeprefix("-m ").partition(" ")[0].partition(".")[0] for pattern in self.launched_by)
        return (*programs, self.title) if self.title else tuple(programs)

    @property
    def flags_with_value(self) -> tuple[str, ...]:
        """The flags whose next word is their value."""
        names = self.port + self.served_name + self.model + self.model_file + self.precision
        parallel = self.tensor_parallel + self.pipeline_parallel + self.data_parallel + self.expert_parallel
        return names + parallel + self.role + self.speculation

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables that say something about the metrics page."""
        return tuple(name for name in (self.port_variable, self.metrics_variable) if name)


ENGINES: tuple[Engine, ...] = (
    Engine(
        "vllm",
        ("vllm serve", "-m vllm.entrypoints.openai.api_server", "-m vllm.entrypoints.cli.main serve"),
        8000,
        title="VLLM::",
        worker_titles=("VLLM::EngineCore", "VLLM::DPEngineCore", "VLLM::DPCoordinator", "VLLM::Worker"),
        served_name=("--served-model-name",),
        model=("--model",),
        first_word_is_model=True,
        precision=("--dtype", "--quantization", "-q", "--kv-cache-dtype"),
        tls=("--ssl-certfile",),
        tensor_parallel=("--tensor-parallel-size", "-tp"),
        pipeline_parallel=("--pipeline-parallel-size", "-pp"),
        data_parallel=("--data-parallel-size", "-dp"),
        speculation=("--speculative-model",),
    ),
    Engine(
        "llama.cpp",
        ("llama-server",),
        8080,
        port_variable="LLAMA_ARG_PORT",
        served_name=("--alias", "-a"),
        model=("--hf-repo", "-hf", "-hfr"),
        model_file=("--model", "-m"),
        precision=("--cache-type-k", "-ctk", "--cache-type-v", "-ctv"),
        speculation=("--model-draft", "-md"),
        tls=("--ssl-cert-file",),
        metrics_switch="--metrics",
        metrics_variable="LLAMA_ARG_ENDPOINT_METRICS",
        no_metrics_hint="start llama-server with --metrics",
    ),
    Engine(
        "sglang",
        ("-m sglang.launch_server", "sglang serve"),
        30000,
        title="sglang::",
        worker_titles=("sglang::scheduler", "sglang::detokenizer", "sglang::data_parallel_controller"),
        served_name=("--served-model-name",),
        model=("--model-path", "--model"),
        tensor_parallel=("--tp", "--tp-size", "--tensor-parallel-size"),
        pipeline_parallel=("--pp", "--pp-size", "--pipeline-parallel-size"),
        data_parallel=("--dp", "--dp-size", "--data-parallel-size"),
        expert_parallel=("--ep", "--ep-size", "--expert-parallel-size"),
        role=("--disaggregation-mode",),
        speculation=("--speculative-algorithm",),
        precision=("--dtype", "--quantization", "--kv-cache-dtype"),
        tls=("--ssl-certfile",),
        metrics_switch="--enable-metrics",
        no_metrics_hint="start SGLang with --enable-metrics",
    ),
    Engine(
        "tgi",
        ("text-generation-launcher", "text-generation-router"),
        3000,
        port=("--port", "-p"),
        port_variable="PORT",
        model=("--model-id", "--tokenizer-name"),
        tensor_parallel=("--num-shard",),
        precision=("--dtype", "--quantize", "--kv-cache-dtype"),
    ),
    Engine(
        "tensorrt-llm",
        ("trtllm-serve serve", "trtllm-serve"),
        8000,
        served_name=("--served-model-name",),
        first_word_is_model=True,
        tensor_parallel=("--tp-size",),
        pipeline_parallel=("--pp-size",),
        expert_parallel=("--ep-size",),
        precision=("--kv-cache-dtype",),
        metrics_path="/prometheus/metrics",  # /metrics is JSON there, and reading it empties it
    ),
    Engine(
        "triton",
        ("tritonserver",),
        8002,
        port=("--metrics-port",),
        metrics_on_own_port=True,
        no_metrics_hint="start tritonserver with --allow-metrics=true",
    ),
    Engine(
        "dynamo",
        ("-m dynamo.frontend",),
        8000,
        port=("--http-port",),
        served_name=("--model-name",),
    ),
    Engine(
        "dynamo-worker",  # another name than the frontend's: their tokens are the same tokens
        ("-m dynamo.vllm", "-m dynamo.sglang", "-m dynamo.trtllm", "-m dynamo.mocker"),
        None,  # no page unless the variable names a port
        port=(),
        port_variable="DYN_SYSTEM_PORT",
        served_name=("--served-model-name", "--model-name"),
        model=("--model", "--model-path"),
        precision=("--dtype", "--quantization", "--kv-cache-dtype"),
        metrics_on_own_port=True,
        no_metrics_hint="set DYN_SYSTEM_PORT for this Dynamo worker",
        tensor_parallel=("--tensor-parallel-size", "-tp"),
        pipeline_parallel=("--pipeline-parallel-size", "-pp"),
        data_parallel=("--data-parallel-size", "-dp"),
        role=("--disaggregation-mode",),
        role_switches={"--is-prefill-worker": "prefill", "--is-decode-worker": "decode"},  # before 1.0
    ),
    Engine(
        "lmdeploy",
        ("lmdeploy serve api_server",),
        23333,
        port=("--server-port",),
        served_name=("--model-name",),
        first_word_is_model=True,
        tensor_parallel=("--tp",),
        data_parallel=("--dp",),
        expert_parallel=("--ep",),
        role=("--role",),
        precision=("--dtype", "--model-format", "--quant-policy"),
        tls=("--ssl",),
    ),
    Engine(
        "nim",
        ("nim-run", "nim-serve"),
        8000,
        port_variable="NIM_SERVER_PORT",
        metrics_path="/v1/metrics",
    ),
    Engine(
        "tei",
        ("text-embeddings-router",),
        3000,
        port=("--port", "-p"),
        port_variable="PORT",
        model=("--model-id",),
        precision=("--dtype",),
    ),
    Engine(
        "litellm",  # a gateway: its tokens are those of the engines behind it
        ("litellm",),
        4000,
        port_variable="PORT",
        metrics_path="/metrics/",  # without the last stroke it redirects
    ),
    Engine(
        "sglang-router",
        ("sglang-router launch", "sglang-router", "-m sglang_router.launch_router", "smg launch", "smg"),
        29000,
        port=("--prometheus-port",),
        metrics_on_own_port=True,
        no_metrics_hint="start the router with --prometheus-port",
    ),
    Engine(
        "endpoint-picker",
        ("epp",),
        9090,
        port=("--metrics-port",),
        metrics_on_own_port=True,
        no_metrics_hint="start the endpoint picker with --metrics-port",
    ),
    Engine(
        "mlc",
        ("mlc_llm serve", "-m mlc_llm serve"),
        8000,
        first_word_is_model=True,
        metrics_path=None,
        no_metrics_hint="MLC's metrics page is not in the Prometheus format: its tokens stay unknown",
    ),
    Engine(
        "ollama",  # named so that its llama-server children are not taken for servers of their own
        ("ollama serve",),
        11434,
        metrics_path=None,
        no_metrics_hint="Ollama has no metrics page: its tokens stay unknown",
    ),
)
