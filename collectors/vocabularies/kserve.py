"""KServe's Python model servers: request times of any kind of model, and no tokens.

A KServe runtime on vLLM has vLLM's series on the same page and is read as vLLM, so this one is asked last.
Names: kserve, python/kserve/kserve/metrics.py.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

KSERVE = Vocabulary(
    engine="kserve",
    signs=(frozenset({"request_predict_seconds_count", "request_preprocess_seconds_count"}),),
    moves=Moves.NONE,
    no_tokens="KServe's Python server counts no tokens; one that runs vLLM has vLLM's counters on its page",
    model_labels=("model_name",),
    start_series="process_start_time_seconds",
    counters={
        "finished": Role((Series("request_predict_seconds_count"),), "finished requests"),  # also those that raised
        "progress": Role((Series("request_predict_seconds_count"),), "whether a busy GPU makes progress"),
    },
    gauges={},
    # Its histograms time the steps of a request one by one; none of them is the request's own time.
    histograms={"e2e": Role((), "request latency and its SLO: only its steps are timed, each by itself")},
)
