"""For whom the tokens of one moment are made: the shares that gateways saw, of what engines count for nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from collectors.readings import UNNAMED, Layer
from tokwatch.ledger.economics.token_cost import Tokens
from tokwatch.ledger.registry import flow_labels
from tokwatch.ledger.showback import NOBODYS, Counts, Whose, divide, models_behind
from tokwatch.ledger.sums import FlowTotals

if TYPE_CHECKING:
    from tokwatch.ledger.bodies import ServerBody
    from tokwatch.ledger.moment import Moment

_NAMED_AT_MOST: Final = 3


class Share(NamedTuple):
    """A part of the tokens of a model, 0..1 of each class."""

    uncached: float
    cached: float
    output: float
    finished: float

    def of(self, tokens: Tokens) -> Tokens:
        """That part of some tokens."""
        return Tokens(tokens.uncached * self.uncached, tokens.cached * self.cached, tokens.output * self.output)


WHOLE: Final = Share(1.0, 1.0, 1.0, 1.0)


class Tenants:
    """Shares over the long window: gateways count a request when it ends."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._seen = {server: seen for server in self._gateways() if (seen := self._labelled(server))}
        counted = self._counted() if self._seen else {}
        asked = {model for seen in self._seen.values() for model in seen}
        self._behind = models_behind(asked, counted)
        self._shares = {model: self._divided(model, counts) for model, counts in counted.items()}

    def shares(self, model: str) -> Mapping[Whose, Share]:
        """Of the tokens of a model that its engines count for nobody; empty where no gateway labels them."""
        return self._shares.get(model, {})

    def words(self, gateway: int) -> str:
        """Which of the gateway's models are counted under another name, and which under none; "" without either."""
        models = sorted(self._seen.get(gateway, ()))
        renamed = [f"{name} is {self._behind[name]}" for name in models if self._behind.get(name, name) != name]
        lost = [name for name in models if name not in self._behind]
        told = renamed[:_NAMED_AT_MOST]
        if lost:
            names = ", ".join(lost[:_NAMED_AT_MOST]) + (", …" if len(lost) > _NAMED_AT_MOST else "")
            told.append(f"no model counted here is {names}: no cost by tenant")
        return "; ".join(told)

    # --- within ---------------------------------------------------------------------------------------------------

    def _gateways(self) -> Iterator[int]:
        return (server for server, body in self._moment.servers if body.layer == Layer.GATEWAY and body.verified)

    def _flows(self, server: int, body: ServerBody) -> Iterator[tuple[str, Whose, int]]:
        for position, entity in enumerate(self._moment.flow_entities(server)):
            _, model, _, tenant, tier = flow_labels(self._moment.view.entities[entity].key)
            yield (body.model if model == UNNAMED else model), Whose(tenant, tier), position

    def _labelled(self, gateway: int) -> dict[str, dict[Whose, Counts]]:
        """What it saw pass of each model, where it labels any of it."""
        body, sums = self._moment.server(gateway), self._moment.flow_sums(gateway)
        found: dict[str, dict[Whose, Counts]] = defaultdict(dict)
        for model, whose, position in self._flows(gateway, body) if body else ():
            counts = _counts(sums[position].elsewhere(long=True))
            found[model][whose] = found[model].get(whose, _NONE).plus(counts)
        return {
            model: of_model
            for model, of_model in found.items()
            if any(whose != NOBODYS and (each.prompt or each.output) for whose, each in of_model.items())
        }

    def _counted(self) -> dict[str, Counts]:
        """What is counted of each model for nobody, by any server but gateways."""
        found: dict[str, Counts] = {}
        for server, body in self._moment.servers:
            if body.layer == Layer.GATEWAY or not body.verified:
                continue
            sums = self._moment.flow_sums(server)
            for model, whose, position in self._flows(server, body):
                if whose == NOBODYS:
                    counts = _counts(sums[position].totals(long=True, counted=True))
                    found[model] = found.get(model, _NONE).plus(counts)
        return found

    def _divided(self, model: str, counted: Counts) -> dict[Whose, Share]:
        seen: dict[Whose, Counts] = {}
        for of_gateway in self._seen.values():
            for name, of_model in of_gateway.items():
                if self._behind.get(name) == model:
                    for whose, counts in of_model.items():
                        seen[whose] = seen.get(whose, _NONE).plus(counts)
        if not seen:
            return {}
        division = divide([counted], [seen])
        columns = ([_share(part, parts) for part in parts] for parts in division.stretches[0])
        return {whose: Share(*each) for whose, *each in zip(division.whose, *columns, strict=True) if any(each)}


_NONE: Final = Counts()


def _counts(totals: FlowTotals) -> Counts:
    return Counts(
        totals.prompt_tokens,
        min(totals.cached_tokens, totals.prompt_tokens) if totals.cached_tokens_ms else None,
        totals.output_tokens,
        totals.finished if totals.finished_ms else None,
    )


def _share(part: int, parts: tuple[int, ...]) -> float:
    return part / sum(parts) if any(parts) else 0.0
