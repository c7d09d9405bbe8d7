"""`[[prices.terms]]`: what GPUs are rented for, or what one's own cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tokwatch.config.prices_limits import MOST_PER_GPU_HOUR, Problem, not_above_0, outside, told_twice
from tokwatch.ledger.prices.gpu_terms import Own, Rent, TermsFor

_WHICH = ("gpu", "model", "host")


class RentSection(Rent, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="basis", tag="rent"):
    """`basis = "rent"`, and which GPUs it is for; none named: all."""

    gpu: str = ""  # UUID
    model: str = ""  # as the driver names it
    host: str = ""


class OwnSection(Own, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="basis", tag="own"):
    """`basis = "own"`, and which GPUs it is for; none named: all."""

    gpu: str = ""
    model: str = ""
    host: str = ""


TermsSection = RentSection | OwnSection


def terms_for(section: TermsSection) -> TermsFor:
    """As the price book has it."""
    fields = msgspec.structs.asdict(section)
    which = {key: fields.pop(key) for key in _WHICH}
    return TermsFor(Rent(**fields) if isinstance(section, RentSection) else Own(**fields), **which)


def problems(
    terms: Sequence[TermsSection], by_name: Mapping[str, float], general: float | None, *, electricity: bool
) -> Iterator[Problem]:
    """(path, message) of figures that cannot be, and of GPUs with two prices.

    by_name, general: `[prices.gpu]` and `usd_per_gpu_hour`. electricity: whether a kilowatt-hour has a price.
    """
    rents = {"prices.usd_per_gpu_hour": general}
    rents |= {f'prices.gpu."{gpu}"': price for gpu, price in by_name.items()}
    for where, price in rents.items():
        yield from _rent_problems(where, price)
    for index, section in enumerate(terms):
        where = f"prices.terms[{index}]"
        yield from _twice(where, section, by_name, general)
        if isinstance(section, Rent):
            yield from _rent_problems(f"{where}.usd_per_gpu_hour", section.usd_per_gpu_hour)
        else:
            yield from _own_problems(where, section)
        if not (section.power_included or electricity):
            yield where, "its electricity is paid for by itself and has no price: write [prices.electricity]"
    yield from told_twice("prices.terms", map(_which, terms), "these GPUs have terms already, in {first}")


def _which(section: TermsSection) -> tuple[str, ...]:
    return section.gpu, section.model, section.host


def _twice(where: str, section: TermsSection, by_name: Mapping[str, float], general: float | None) -> Iterator[Problem]:
    named = [key for key in _WHICH if getattr(section, key)]
    if not named and general is not None:
        yield where, "is for every GPU, as prices.usd_per_gpu_hour is: keep one of them"
    if named in (["gpu"], ["model"]) and getattr(section, named[0]) in by_name:
        yield f"{where}.{named[0]}", f'has a price already, in prices.gpu."{getattr(section, named[0])}"'


def _rent_problems(where: str, price: float | None) -> Iterator[Problem]:
    if price is not None and not 0 <= price < MOST_PER_GPU_HOUR:
        yield where, f"a GPU-hour cannot cost {price}: give a price between 0 and 10 000"


def _own_problems(where: str, own: Own) -> Iterator[Problem]:
    impossible = list(_impossible(where, own))
    yield from impossible
    if not impossible and not own.hourly.total < MOST_PER_GPU_HOUR:
        yield where, f"a GPU-hour cannot cost {own.hourly.total:g}: is server_usd the price of one server?"
    # A figure that is written and then not used would be a surprise on the invoice.
    if own.depreciation == "straight-line" and own.cost_of_capital:
        yield f"{where}.cost_of_capital", 'straight line leaves it out: write depreciation = "capital-recovery"'
    if own.depreciation == "capital-recovery" and not own.cost_of_capital:
        yield f"{where}.depreciation", "capital recovery needs cost_of_capital"
    if own.colocation_usd_per_kw_month is not None and own.provisioned_kw is None:
        yield f"{where}.colocation_usd_per_kw_month", "is paid per kilowatt: give provisioned_kw, that of one GPU"
    if own.provisioned_kw is not None and own.colocation_usd_per_kw_month is None:
        yield f"{where}.provisioned_kw", "is what colocation is paid for: give colocation_usd_per_kw_month"
    if own.power_included and own.colocation_usd_per_kw_month is None:
        yield f"{where}.power_included", "power can only be included in colocation: give colocation_usd_per_kw_month"


def _impossible(where: str, own: Own) -> Iterator[Problem]:
    """Figures that no server has."""
    yield from not_above_0(f"{where}.server_usd", own.server_usd, 1e9)
    yield from not_above_0(f"{where}.gpus_per_server", own.gpus_per_server, 1024)
    yield from outside(f"{where}.years", own.years, 0.1, 30)
    yield from outside(f"{where}.residual", own.residual, 0, 1, "it is a share of the price")
    for key in ("cost_of_capital", "opex_rate"):
        yield from outside(f"{where}.{key}", getattr(own, key), 0, 1, "it is a share a year, 0.1 for 10 %")
    yield from outside(f"{where}.colocation_usd_per_kw_month", own.colocation_usd_per_kw_month, 0, 1e6)
    yield from not_above_0(f"{where}.provisioned_kw", own.provisioned_kw, 100)
