"""Quantities of one moment as they were measured: the very window sums and prices that its figures divide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tokwatch.ledger.accounts import Account, Accounts
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.explain.glossary import GLOSSARY
from tokwatch.ledger.explain.quantity import Quantity, made_of, sum_of
from tokwatch.ledger.figures import RATIO_FROM_MS
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.economy import Economist
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.snapshot import Snapshot

_OfGpu = Callable[[int], Quantity | None]
_PARTS = {"rent": "rent", "capex": "depreciation", "opex": "upkeep", "space": "space"}


def leaf(name: str, value: float) -> Quantity:
    """A measured number, called as in the glossary."""
    word = GLOSSARY[name]
    return Quantity(word.words, value, word.unit)


class Ground:
    """What explanations of one moment stand on. `snapshot` is the one of that very moment."""

    def __init__(self, moment: Moment, snapshot: Snapshot) -> None:
        self.moment = moment
        self.accounts = Accounts(moment)
        self.economist = Economist(moment, self.accounts)
        self.snapshot = snapshot

    # --- names ----------------------------------------------------------------------------------------------------

    def server_name(self, server: int) -> str:
        body = self.moment.server(server)
        return body.address if body else f"server {server}"

    def gpu_name(self, gpu: int) -> str:
        body = self.moment.in_force("facts", gpu, GpuBody)
        return f"GPU {body.index}" if body else f"device {gpu}"

    # --- tokens ---------------------------------------------------------------------------------------------------

    def server_rate(self, server: int, field: str, *, counted: bool = False) -> Quantity | None:
        """A counter of one server's page per second, as `Moment.token_rate` has it."""
        moment = self.moment
        if moment.token_rate(server, field, counted=counted).value is None:
            return None
        window = moment.window(server, counted=counted)
        known_ms = max((getattr(totals, f"{field}_ms") for totals in window), default=0)
        words = f"{GLOSSARY[field].words} of {self.server_name(server)}"
        unit = "requests/s" if field == "finished" else "tok/s"
        if not known_ms:
            return Quantity(f"{words}, counted elsewhere", 0.0, unit)
        covered_ms = max(known_ms, moment.read_ms(server, long=moment.at_end(server)))
        amount = leaf(field, sum(getattr(totals, field) for totals in window))
        return made_of(
            words,
            unit,
            f"{field} / covered_s",
            **{field: amount, "covered_s": leaf("covered_s", covered_ms / 1000)},
        )

    def rate(self, servers: Sequence[int], field: str) -> Quantity | None:
        """A counter of several servers per second, each token once, as `Accounts.rate` has it."""
        found = [self.server_rate(server, field, counted=True) for server in servers]
        parts = tuple(part for part in found if part is not None)
        unit = "requests/s" if field == "finished" else "tok/s"
        return sum_of(GLOSSARY[field].words, unit, parts) if parts else None

    # --- watts ----------------------------------------------------------------------------------------------------

    def watts(self, gpu: int, servers: Sequence[int]) -> Quantity | None:
        """Mean watts over the stretch that the servers' tokens came in, as `Moment.watts` has it."""
        energy_mj, measured_ms = self.moment.drawn(gpu, servers)
        if measured_ms < RATIO_FROM_MS:
            return None
        return made_of(
            f"watts of {self.gpu_name(gpu)}",
            "W",
            "energy_j / measured_s",
            energy_j=leaf("energy_j", energy_mj / 1000),
            measured_s=leaf("measured_s", measured_ms / 1000),
        )

    def account_watts(self, account: Account) -> Quantity | None:
        """The account's part of what its GPUs draw."""
        return self.of_parts("watts", "W", account, lambda gpu: self.watts(gpu, self.accounts.servers_on(gpu)))

    # --- money ----------------------------------------------------------------------------------------------------

    def price(self, gpu: int, servers: Sequence[int]) -> Quantity | None:
        """What an hour of a GPU costs, by part."""
        hourly = self.moment.rates.hourly(gpu, servers)
        if hourly is None:
            return None
        name = self.gpu_name(gpu)
        parts = [
            Quantity(f"{words} of {name}", amount, "$/h")
            for part, words in _PARTS.items()
            if (amount := getattr(hourly.parts, part))
        ]
        facility_w, usd_per_kwh = self.moment.rates.facility_w(gpu, servers).value, self.moment.rates.usd_per_kwh
        if hourly.parts.energy and facility_w is not None and usd_per_kwh is not None:
            parts.append(
                made_of(
                    f"electricity of {name}",
                    "$/h",
                    "metered_w / 1000 * kwh_price",
                    metered_w=leaf("metered_w", facility_w),
                    kwh_price=leaf("kwh_price", usd_per_kwh),
                )
            )
        return sum_of(f"price of {name}", "$/h", tuple(parts)) if parts else Quantity(f"price of {name}", 0.0, "$/h")

    def account_price(self, account: Account) -> Quantity | None:
        """The account's part of the price of its GPUs."""
        return self.of_parts("price", "$/h", account, lambda gpu: self.price(gpu, self.accounts.servers_on(gpu)))

    def spent(self, gpu: int, spent: Mapping[int, int]) -> Quantity | None:
        """Hours × price under each version of the price book, as `money.spent` has it."""
        body = self.moment.in_force("facts", gpu, GpuBody)
        if body is None:
            return None
        if not spent:
            return Quantity("hours", 0.0, "$") if self.moment.version else None
        versions = {version.id: version for version in self.moment.view.book.versions}
        parts = []
        for key in sorted(spent):
            fixed = versions[key].prices.fixed(self.moment.rates.priced(body)) if key in versions else None
            if fixed is not None:
                hours = Quantity(f"hours of {self.gpu_name(gpu)}", spent[key] / MS_PER_HOUR, "h")
                price = Quantity(f"price, {versions[key].source}", fixed.total, "$/h")
                parts.append(made_of("spent", "$", "hours * price", hours=hours, price=price))
        return sum_of("spent", "$", tuple(parts)) if parts else None

    # --- sums -----------------------------------------------------------------------------------------------------

    def of_parts(self, words: str, unit: str, account: Account, of_gpu: _OfGpu) -> Quantity | None:
        """The account's part of something of each of its GPUs, added up; None as soon as one is unknown."""
        gpus = self.accounts.gpus_of(account)
        return self.weighed(words, unit, [(gpu, self.accounts.part(gpu, account)) for gpu in gpus], of_gpu)

    def weighed(self, words: str, unit: str, weights: Sequence[tuple[int, float]], of_gpu: _OfGpu) -> Quantity | None:
        """Something of each GPU × which part of it, added up; None as soon as one is unknown, or without any."""
        parts = []
        for gpu, part in weights:
            if not part:
                continue
            whole = of_gpu(gpu)
            if whole is None:
                return None
            if part != 1:
                share = Quantity(f"part of {self.gpu_name(gpu)}, by tokens", part)
                whole = made_of(whole.words, unit, "whole * share", whole=whole, share=share)
            parts.append(whole)
        return sum_of(words, unit, tuple(parts)) if parts else None
