"""Which labels say that a server does one half of the work: only prefills, or only decodes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collectors.vocabularies import VOCABULARIES

ROLES: Final = ("prefill", "decode")
# Of a target first: what relabelling was told to say, and what it leaves of llm-d's pod label `llm-d.ai/role`. Then of
# pages: SGLang's own label, and that which a Dynamo worker gives to its engine's series too.
_OF_TARGETS: Final = ("role", "llm_d_ai_role")
ROLE_LABELS: Final = tuple(dict.fromkeys((*_OF_TARGETS, *(label for each in VOCABULARIES for label in each.roles))))
# Workers of one Dynamo namespace serve together. One that decodes beside those that prefill does not say so.
NAMESPACE_LABEL: Final = "dynamo_namespace"


def role_of(labels: Mapping[str, str]) -> str:
    """ "prefill", "decode", or "" for both in one."""
    return next((labels[label] for label in ROLE_LABELS if labels.get(label) in ROLES), "")
