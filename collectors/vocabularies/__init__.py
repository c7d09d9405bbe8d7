"""Every known vocabulary, and which of them a page is written in. A new engine is one file here and one line below."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.exposition import Lines, parse_lines, split
from collectors.labels import clean_label
from collectors.readings import ServerFacts, ServerReading
from collectors.vocabularies.dynamo import DYNAMO_FRONTEND, DYNAMO_WORKER
from collectors.vocabularies.endpoint_picker import ENDPOINT_PICKER
from collectors.vocabularies.kserve import KSERVE
from collectors.vocabularies.litellm import LITELLM
from collectors.vocabularies.llama_cpp import LLAMA_CPP
from collectors.vocabularies.lmdeploy import LMDEPLOY
from collectors.vocabularies.nim import NIM
from collectors.vocabularies.plan import plan_of
from collectors.vocabularies.ray_serve import RAY_SERVE
from collectors.vocabularies.reader import read
from collectors.vocabularies.sglang import SGLANG
from collectors.vocabularies.sglang_router import SGLANG_ROUTER
from collectors.vocabularies.tei import TEI
from collectors.vocabularies.tensorrt_llm import TENSORRT_LLM, TENSORRT_LLM_11
from collectors.vocabularies.tgi import TGI
from collectors.vocabularies.triton import TRITON, TRITON_TENSORRT_LLM
from collectors.vocabularies.vllm import VLLM
from collectors.vocabularies.vocabulary import Vocabulary

# The first that recognises a page reads it, so those whose pages carry another engine's series through stand first, and
# those with names that others have too stand last.
VOCABULARIES: tuple[Vocabulary, ...] = (
    DYNAMO_FRONTEND,
    DYNAMO_WORKER,
    RAY_SERVE,
    ENDPOINT_PICKER,
    LITELLM,
    SGLANG_ROUTER,
    VLLM,
    SGLANG,
    TENSORRT_LLM,
    LLAMA_CPP,
    LMDEPLOY,
    NIM,
    TRITON_TENSORRT_LLM,
    TRITON,
    TENSORRT_LLM_11,
    TGI,
    TEI,
    KSERVE,
)

START_HEADERS = frozenset(vocabulary.start_header for vocabulary in VOCABULARIES) - {""}


def recognise(names: frozenset[str]) -> Vocabulary | None:
    """The vocabulary of a page with these series names, by what is on the page and never by a version."""
    return next((vocabulary for vocabulary in VOCABULARIES if vocabulary.recognises(names)), None)


def read_page(
    page: bytes,
    server: ServerFacts,
    at_ns: int,
    *,
    headers: Mapping[str, str] | None = None,  # those of START_HEADERS that came with the page
    took_ms: int = 0,
) -> ServerReading:
    """The reading of one page; not ok where no engine is recognised. Raises ExpositionError on a page of no metrics."""
    lines = split(page)
    vocabulary = recognise(lines.names)
    if vocabulary is None:
        return not_recognised(lines, server, at_ns, took_ms=took_ms, page_bytes=len(page))
    metrics = parse_lines(lines, vocabulary.wanted)
    plan = plan_of(vocabulary, metrics)
    return read(plan, metrics.values, server, at_ns, headers=headers, took_ms=took_ms, page_bytes=len(page))


def not_recognised(
    lines: Lines, server: ServerFacts, at_ns: int, *, took_ms: int = 0, page_bytes: int = 0
) -> ServerReading:
    """The reading of a metrics page that no vocabulary knows."""
    some = clean_label(", ".join(sorted(lines.names)[:3]), 120) or "no series"
    problem = f"{server.address}: a metrics page of no engine that tokwatch knows (it has {some})"
    return ServerReading(server, at_ns, ok=False, problem=problem, took_ms=took_ms, page_bytes=page_bytes)
