"""What the names in formulas of money stand for: the means of the box, or of one deployment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from tokwatch.ledger.accounts import SHARED_IDLE, UNASSIGNED, Account
from tokwatch.ledger.economics.revenue import TokenPrices, blended_usd_per_m
from tokwatch.ledger.economics.token_cost import EQUAL, Tokens
from tokwatch.ledger.entries import State
from tokwatch.ledger.explain.measured import Ground, leaf
from tokwatch.ledger.explain.quantity import Quantity, made_of, sum_of
from tokwatch.ledger.explain.subject import Subject
from tokwatch.ledger.money.means import Means
from tokwatch.ledger.money.rows import deployment_key
from tokwatch.ledger.money.tallies import weighing_of
from tokwatch.ledger.prices.gpu_terms import Parts

_OfParts = Callable[[Parts], float]
_Wanted = Callable[[int], bool]


class OfEconomy(Subject):
    """Of every GPU and the tokens made on them."""

    @cached_property
    def means(self) -> Means:
        return self.ground.economist.means_of_all()

    @property
    def servers(self) -> Sequence[int]:
        return self.means.servers

    @property
    def gpus(self) -> Sequence[int]:
        return [gpu for gpu, _ in self.means.parts]

    # --- tokens ---------------------------------------------------------------------------------------------------

    def made_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.means.servers, "output_tokens")

    def prompt_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.means.servers, "prompt_tokens")

    def cached_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.means.servers, "cached_tokens")

    def finished_s(self) -> Quantity | None:
        return self.ground.rate(self.means.servers, "finished")

    def uncached_tok_s(self) -> Quantity | None:
        return leaf("uncached_tok_s", self.means.tokens.uncached)

    def weighted_tok_s(self) -> Quantity | None:
        if not self.means.tokens.total:
            return None
        parts = [
            made_of(f"{words} by weight", "tok/s", "rate * weight", rate=Quantity(words, rate, "tok/s"), weight=weight)
            for words, rate, weight in zip(Tokens._fields, self.means.tokens, self._weights, strict=True)
        ]
        return sum_of("tokens by weight", "tok/s", tuple(parts))

    def input_weight(self) -> Quantity | None:
        return self._weights[0]

    def cached_weight(self) -> Quantity | None:
        return self._weights[1]

    def output_weight(self) -> Quantity | None:
        return self._weights[2]

    def cheaper_tok_s(self) -> Quantity | None:
        flows, weighing = self.means.flows, weighing_of(self.means.flows, self.means.token_list)
        weights = [weighing.of(flow.model) for flow in flows]
        cheaper = [flow.tokens.cached * (of.input - of.cached) for flow, of in zip(flows, weights, strict=True)]
        return leaf("cheaper_tok_s", sum(cheaper))

    @cached_property
    def _weights(self) -> tuple[Quantity, ...]:
        """What a token of each class weighs; of several models the mean, by their tokens."""
        flows, weighing = self.means.flows, weighing_of(self.means.flows, self.means.token_list)
        weights = [weighing.of(flow.model) for flow in flows] or [EQUAL]
        found = []
        for place, name in enumerate(("input_weight", "cached_weight", "output_weight")):
            every = self.means.tokens[place]
            weighed = sum(flow.tokens[place] * of[place] for flow, of in zip(flows, weights, strict=False))
            one = len(set(weights)) == 1 or not every
            found.append(leaf(name, weights[0][place] if one else weighed / every))
        return tuple(found)

    def accepted_tok_s(self) -> Quantity | None:
        windows = [window for each in self.means.servers for window in self.ground.moment.window(each, counted=True)]
        rates = [window.accepted_tokens * 1000 / window.length_ms for window in windows if window.length_ms]
        return leaf("accepted_tok_s", sum(rates))

    # --- watts ----------------------------------------------------------------------------------------------------

    def drawn_w(self) -> Quantity | None:
        servers_on = self.ground.accounts.servers_on
        return self.ground.weighed("watts", "W", self.means.parts, lambda gpu: self.ground.watts(gpu, servers_on(gpu)))

    def metered_w(self) -> Quantity | None:
        if self.ground.moment.rates.facility.basis == "board":
            return self.drawn_w()
        return self.ground.weighed("watts", "W", self.means.parts, self._metered)

    def _metered(self, gpu: int) -> Quantity | None:
        rates, board = self.ground.moment.rates, self.ground.watts(gpu, self.ground.accounts.servers_on(gpu))
        whole = rates.facility_w(gpu, self.ground.accounts.servers_on(gpu)).value
        if board is None or whole is None:
            return None
        pue = rates.facility.pue or 1.0
        host = Quantity(f"host's share of {self.ground.gpu_name(gpu)}", whole / pue - board.value, "W")
        return made_of(
            f"watts of {self.ground.gpu_name(gpu)} at the meter",
            "W",
            "(board + host) * pue",
            board=board,
            host=host,
            pue=Quantity("PUE", pue),
        )

    def provisioned_w(self) -> Quantity | None:
        limit_w = self.means.costs.limit_w
        return None if limit_w is None else leaf("provisioned_w", limit_w)

    def kwh_price(self) -> Quantity | None:
        price = self.ground.moment.rates.usd_per_kwh
        return None if price is None else leaf("kwh_price", price)

    def grid_factor(self) -> Quantity | None:
        carbon = self.ground.moment.rates.facility.carbon
        return None if carbon is None else leaf("grid_factor", carbon.g_per_kwh)

    # --- money ----------------------------------------------------------------------------------------------------

    def part_usd_per_hour(self) -> Quantity | None:
        part = self.field.rpartition(".")[2]
        return self._cost(lambda parts: float(getattr(parts, part)), lambda gpu: True)

    def idle_part_usd_per_hour(self) -> Quantity | None:
        energy_alone = self.field.endswith("idle_energy")
        return self._cost(
            lambda parts: parts.energy if energy_alone else parts.total,
            lambda gpu: State(self.ground.moment.state(gpu).state).idle,
        )

    def prefill_usd_per_hour(self) -> Quantity | None:
        return leaf("prefill_usd_per_hour", self.means.costs.prefill_usd)

    def decode_usd_per_hour(self) -> Quantity | None:
        return leaf("decode_usd_per_hour", self.means.costs.decode_usd)

    def _cost(self, of: _OfParts, wanted: _Wanted) -> Quantity | None:
        def price(gpu: int) -> Quantity | None:
            hourly = self.ground.moment.rates.hourly(gpu, self.ground.accounts.servers_on(gpu))
            return None if hourly is None else Quantity(self.ground.gpu_name(gpu), of(hourly.parts), "$/h")

        if self.means.costs.why:
            return None
        parts = [(gpu, part) for gpu, part in self.means.parts if wanted(gpu)]
        return self.ground.weighed("price", "$/h", parts, price) or Quantity("of no GPU", 0.0, "$/h")

    def sold_usd_per_hour(self) -> Quantity | None:
        token_list, sold = self.means.token_list, []
        for flow in self.means.flows:
            prices = token_list.of(flow.model, flow.tier)
            if prices is None:
                continue
            listed = (prices.input, prices.cached_input, prices.output)
            for name, rate, price in zip(("input", "cached", "output"), flow.tokens, listed, strict=True):
                if rate and price is None:
                    return None  # its models are not all sold
                if rate and price:
                    each = {
                        "rate": Quantity(f"{name} of {flow.model}", rate, "tok/s"),
                        "listed": Quantity("list price", price, "$/M"),
                    }
                    sold.append(made_of(f"{name} sold", "$/h", "rate * 3600 / 1e6 * listed", **each))
        return sum_of("sold", "$/h", tuple(sold)) if sold else Quantity("nothing sold", 0.0, "$/h")

    def tasks_usd_per_hour(self) -> Quantity | None:
        done = []
        for flow in self.means.flows:
            value = self.means.token_list.task_value(flow.model)
            if value is not None and flow.finished_s is not None:
                each = {
                    "rate": Quantity(f"requests of {flow.model}", flow.finished_s, "requests/s"),
                    "worth": Quantity("value of a task", value, "$"),
                }
                done.append(made_of("tasks", "$/h", "rate * 3600 * worth", **each))
        return sum_of("tasks", "$/h", tuple(done)) if done else None

    def api_usd_per_m(self) -> Quantity | None:
        models = {flow.model for flow in self.means.flows if flow.tokens.total}
        offers: list[TokenPrices] = [each for model in models if (each := self.means.token_list.api_price(model))]
        blended = blended_usd_per_m(self.means.tokens, offers[0]) if len(models) == 1 and offers else None
        return None if blended is None else leaf("api_usd_per_m", blended)


class OfDeployment(OfEconomy):
    """Of one deployment, or of what is left over."""

    @cached_property
    def means(self) -> Means:
        return self.ground.economist.means_of(account_of(self.ground, self.row.key))


def account_of(ground: Ground, key: str) -> Account:
    """The account whose row has that key."""
    found = (account for account in ground.accounts.all if deployment_key(ground.moment, account) == key)
    return next(found, SHARED_IDLE if key == "(shared, idle)" else UNASSIGNED)
