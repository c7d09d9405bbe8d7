"""Counted once, at the grain of a fleet: at which of the servers that a token passes it is added up. Pure.

The rule of ledger/counting.py, where nobody knows which server stands before which:

- An engine's tokens are counted at the engine.
- A router's, only of models that no engine counts output tokens of.
- A gateway's, which may call a model by another name, only where neither an engine nor a counted router does.
- Where prefill and decode servers of one model both count, prompts are counted at those that prefill, output tokens and
  requests at those that decode. Workers of one Dynamo namespace are a family of their own: in it, one that decodes
  beside those that prefill need not say so.
- The config overrides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from collectors.readings import Layer
from tokwatch.ledger.counting import AT_ENGINES, AT_ROUTER, AT_THE_OTHER_HALF, BY_CONFIG, HERE, Counting
from tokwatch.ledger.deployments import DECODE, PREFILL

_HALVES: Final = frozenset({PREFILL, DECODE})


class Family(NamedTuple):
    """Servers that may make their tokens together."""

    namespace: str
    place: str
    model: str


class Kind(NamedTuple):
    """Servers that are alike in what decides: those of one kind are counted the same way."""

    layer: Layer
    engine: str
    model: str
    role: str = ""  # "prefill" | "decode" of a disaggregated pair, "" for both in one
    namespace: str = ""  # Dynamo's
    place: str = ""  # halves in different ones are no pair
    counts: bool | None = None  # as the config says; None: by the rule

    @property
    def model_in_any_case(self) -> str:
        """Routers write names of models in lower case, too."""
        return self.model.casefold()

    @property
    def family(self) -> Family:
        """Halves of one family are a pair."""
        return Family(self.namespace, self.place, self.model_in_any_case)


class CountedOnce:
    """The rule for one time, in which servers of some kinds tell of output tokens."""

    def __init__(self, telling: Iterable[Kind]) -> None:
        taking = [kind for kind in telling if kind.counts is not False]
        engines = [kind for kind in taking if kind.layer is Layer.ENGINE]
        self._models = frozenset(engine.model_in_any_case for engine in engines)
        self._routed = any(kind.layer is Layer.ROUTER and kind.model_in_any_case not in self._models for kind in taking)
        families: dict[Family, list[Kind]] = defaultdict(list)
        for engine in engines:
            families[engine.family].append(engine)
        self._decoding = {family: _decoding(members) for family, members in families.items() if family.namespace}
        self._pairs = frozenset(
            family for family, members in families.items() if {self.role(member) for member in members} >= _HALVES
        )

    def counting(self, kind: Kind) -> Counting:
        """Which tokens of a server of that kind are added up."""
        if kind.counts is not None:
            return BY_CONFIG[kind.counts]
        if kind.layer is Layer.ROUTER:
            return AT_ENGINES if kind.model_in_any_case in self._models else HERE
        if kind.layer is Layer.GATEWAY:
            return AT_ENGINES if self._models else AT_ROUTER if self._routed else HERE
        return AT_THE_OTHER_HALF.get(self.role(kind), HERE) if self.is_half(kind) else HERE

    def is_half(self, kind: Kind) -> bool:
        """It makes its tokens together with servers of the other role."""
        return kind.layer is Layer.ENGINE and kind.family in self._pairs and bool(self.role(kind))

    def role(self, kind: Kind) -> str:
        """As it says, or as its family shows."""
        return kind.role or (DECODE if kind.engine in self._decoding.get(kind.family, ()) else "")


def _decoding(members: Iterable[Kind]) -> frozenset[str]:
    """Engines of which those without a role decode: others of the family prefill, and nobody says that he decodes."""
    roles = {member.role for member in members}
    if PREFILL not in roles or DECODE in roles:
        return frozenset()
    return frozenset(member.engine for member in members if member.role)
