"""Hugging Face Text Embeddings Inference: input tokens only, no model on the page.

Names: text-embeddings-inference, router/src and core/src, as of July 2026. Counters stand here with the `_total` that a
pipeline may add.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_DROPPED = frozenset({"dropped"})  # the client left while its input was queued

TEI = Vocabulary(
    engine="tei",
    signs=(frozenset({"te_request_count"}), frozenset({"te_queue_size"}), frozenset({"te_request_input_length_sum"})),
    moves=Moves.AT_END,
    counters={
        "prompt_tokens": Role(  # counted whole when an input is tokenised, before the model has seen it
            (Series("te_request_input_length_sum"),), "input tokens and their cost"
        ),
        "output_tokens": Role((), "output tokens: an embedding server makes none"),
        "finished": Role(
            # Not te_request_success: /predict with a single input counts that request twice and its success never.
            (Series("te_request_duration_count"), Series("te_request_success_total")),
            "finished requests",
        ),
        # Counted for each input of a batch.
        "failed": Role((Series("te_request_failure_total", "err", _DROPPED, others=True),), "failed inputs"),
        "aborted": Role((Series("te_request_failure_total", "err", _DROPPED),), "aborted inputs"),
        "progress": Role((Series("te_batch_next_tokens_sum"),), "whether a busy GPU makes progress"),
    },
    gauges={"waiting": Role((Series("te_queue_size"),), "waiting inputs")},
    histograms={
        "e2e": Role((Series("te_request_duration"),), "request latency and its SLO"),
        "queue": Role((Series("te_request_queue_duration"),), "time in the queue"),
        "prompt_length": Role((Series("te_request_input_length"),), "input lengths"),
    },
)
