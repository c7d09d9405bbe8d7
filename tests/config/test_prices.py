"""`[prices]`: terms of GPUs, the facility and tokens, and what of them is refused."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent, TermsFor
from tokwatch.ledger.prices.token_prices import TaskValue, TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices

WHOLE = """
[prices]
currency = "EUR"
usd_per_gpu_hour = 2.35

[prices.gpu]
"NVIDIA L4" = 0.7

[[prices.terms]]
host = "own-01"
basis = "own"
server_usd = 320_000
gpus_per_server = 8
years = 4
residual = 0.1
cost_of_capital = 0.1
depreciation = "capital-recovery"
opex_rate = 0.05
colocation_usd_per_kw_month = 184.06
provisioned_kw = 1.275

[[prices.terms]]
gpu = "GPU-a"
basis = "rent"
usd_per_gpu_hour = 3.49
elastic = true
power_included = false

[prices.electricity]
usd_per_kwh = 0.085

[prices.facility]
pue = 1.3
host = "measured"

[prices.carbon]
g_per_kwh = 348
label = "US average, location-based"
year = 2023

[[prices.tokens]]
input = 0.55
output = 2.19

[[prices.tokens]]
model = "r1"
tier = "gold"
input = 1
cached_input = 0.1
cache_write = 1.25
output = 5

[prices.tiers]
batch = 0.5

[[prices.tier_of]]
tier = "batch"
deployment = "night"

[[prices.tasks]]
usd_per_request = 0.02

[[prices.api]]
model = "r1"
input = 0.55
output = 2.19
"""

OWN = Own(
    server_usd=320_000,
    gpus_per_server=8,
    years=4,
    residual=0.1,
    cost_of_capital=0.1,
    depreciation="capital-recovery",
    opex_rate=0.05,
    colocation_usd_per_kw_month=184.06,
    provisioned_kw=1.275,
)


def test_the_whole_section_makes_one_version_of_the_price_book() -> None:
    assert parse(WHOLE, "config.toml").prices.prices() == Prices(
        "EUR",
        2.35,
        {"NVIDIA L4": 0.7},
        (TermsFor(OWN, host="own-01"), TermsFor(Rent(3.49, elastic=True, power_included=False), gpu="GPU-a")),
        Flat(0.085),
        Facility(1.3, "measured", carbon=Carbon(348, "US average, location-based", 2023)),
        Tokens(
            (TokenPrice(2.19, 0.55), TokenPrice(5, 1, "r1", "gold", 0.1, 1.25)),
            {"batch": 0.5},
            (TierOf("batch", deployment="night"),),
            (TaskValue(0.02),),
            (TokenPrice(2.19, 0.55, "r1"),),
        ),
    )


@pytest.mark.parametrize("text", ["", "[prices]\ncurrency = 'EUR'\neffective_from = 2026-11-01T00:00:00Z"])
def test_a_section_that_prices_nothing_is_no_version(text: str) -> None:
    assert parse(text, "config.toml").prices.prices() is None


def test_prices_of_tokens_alone_are_a_version_too() -> None:
    prices = parse("[[prices.tokens]]\ninput = 1\noutput = 2", "config.toml").prices.prices()
    assert prices == Prices(tokens=Tokens((TokenPrice(2, 1),)))


@pytest.mark.parametrize(
    ("line", "facility"),
    [
        ("host_w_per_gpu = 250", Facility(None, "per gpu", 250)),
        ("host_ratio = 0.43", Facility(None, "ratio", None, 0.43)),
        ("pue = 1", Facility(1.0)),
    ],
)
def test_the_hosts_share_is_told_in_one_of_three_ways(line: str, facility: Facility) -> None:
    prices = parse(f"[prices.facility]\n{line}", "config.toml").prices.prices()
    assert prices == Prices(facility=facility)


RENT = "[[prices.terms]]\nbasis = 'rent'\nusd_per_gpu_hour = {}\n"
OWNED = (
    "[prices.electricity]\nusd_per_kwh = 0.1\n[[prices.terms]]\nbasis = 'own'\nserver_usd = 1e5\ngpus_per_server = 8\n"
)
IN_COLOCATION = "years = 4\ncolocation_usd_per_kw_month = 184\nprovisioned_kw = 1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[prices]\ncurrency = 'euro'", '2: prices.currency: write three capital letters, such as "USD" or "EUR"'),
        (
            RENT.format("nan"),
            "3: prices.terms[0].usd_per_gpu_hour: a GPU-hour cannot cost nan: give a price between 0 and 10 000",
        ),
        ("[[prices.terms]]\nusd_per_gpu_hour = 1", "1: prices.terms[0]: Object missing required field `basis`"),
        ("[[prices.terms]]\nbasis = 'lease'", "2: prices.terms[0].basis: Invalid value 'lease'"),
        (
            "[[prices.terms]]\nbasis = 'rent'\nserver_usd = 1\nusd_per_gpu_hour = 1",
            "3: prices.terms[0].server_usd: unknown key",
        ),
        (OWNED, "6: prices.terms[0]: Object missing required field `years`"),
        (OWNED + "years = 0", "7: prices.terms[0].years: must lie between 0.1 and 30, is 0"),
        (OWNED + "years = 1e-320", "7: prices.terms[0].years: must lie between 0.1 and 30, is 9.99989e-321"),
        (
            OWNED.replace("1e5", "1e9") + "years = 1",
            "7: prices.terms[0]: a GPU-hour cannot cost 14269.4: is server_usd the price of one server?",
        ),
        (
            OWNED + "years = 4\nresidual = 20",
            "8: prices.terms[0].residual: must lie between 0 and 1, is 20: it is a share of the price",
        ),
        (
            OWNED + "years = 4\nopex_rate = 5",
            "8: prices.terms[0].opex_rate: must lie between 0 and 1, is 5: it is a share a year, 0.1 for 10 %",
        ),
        (
            OWNED + "years = 4\ncost_of_capital = 0.1",
            '8: prices.terms[0].cost_of_capital: straight line leaves it out: write depreciation = "capital-recovery"',
        ),
        (
            OWNED + "years = 4\ndepreciation = 'capital-recovery'",
            "8: prices.terms[0].depreciation: capital recovery needs cost_of_capital",
        ),
        (
            OWNED + "years = 4\ncolocation_usd_per_kw_month = 184",
            "8: prices.terms[0].colocation_usd_per_kw_month: is paid per kilowatt: "
            "give provisioned_kw, that of one GPU",
        ),
        (
            OWNED + "years = 4\nprovisioned_kw = 1",
            "8: prices.terms[0].provisioned_kw: is what colocation is paid for: give colocation_usd_per_kw_month",
        ),
        (
            OWNED + "years = 4\npower_included = true",
            "8: prices.terms[0].power_included: power can only be included in colocation: "
            "give colocation_usd_per_kw_month",
        ),
        (
            OWNED.partition("\n[[")[2].join(["[[", IN_COLOCATION]),
            "5: prices.terms[0]: its electricity is paid for by itself and has no price: write [prices.electricity]",
        ),
        (
            f"[prices]\nusd_per_gpu_hour = 1\n{RENT.format(2)}",
            "5: prices.terms[0]: is for every GPU, as prices.usd_per_gpu_hour is: keep one of them",
        ),
        (
            f"[prices.gpu]\nGPU-a = 1\n{RENT.format(2)}gpu = 'GPU-a'",
            '6: prices.terms[0].gpu: has a price already, in prices.gpu."GPU-a"',
        ),
        (
            f"{RENT.format(1)}host = 'a'\n{RENT.format(2)}host = 'a'",
            "8: prices.terms[1]: these GPUs have terms already, in prices.terms[0]",
        ),
        (
            "[prices.facility]\npue = 0.9",
            "2: prices.facility.pue: must lie between 1 and 3, is 0.9: "
            "all that the site draws ÷ what its computers draw",
        ),
        (
            "[prices.facility]\nhost = 'measured'\nhost_ratio = 0.4",
            "3: prices.facility.host_ratio: the host's power is told by host already: keep one of them",
        ),
        ("[prices.carbon]\ng_per_kwh = 348", "2: prices.carbon: Object missing required field `label`"),
        (
            "[prices.carbon]\ng_per_kwh = -1\nlabel = 'x'\nyear = 2023",
            "2: prices.carbon.g_per_kwh: must be above 0 and up to 3000, is -1",
        ),
        (
            "[[prices.tokens]]\ninput = 1\noutput = -2",
            "3: prices.tokens[0].output: must lie between 0 and 1e+06, is -2: per million tokens",
        ),
        (
            "[[prices.tokens]]\nmodel = 'a'\ninput = 1\noutput = 2\n"
            "[[prices.tokens]]\ninput = 1\noutput = 2\nmodel = 'a'",
            "8: prices.tokens[1]: this model is priced already in this tier, in prices.tokens[0]",
        ),
        (
            "[[prices.api]]\ninput = 1\noutput = 2\n[[prices.api]]\ninput = 1\noutput = 2",
            "6: prices.api[1]: this model is priced already in this tier, in prices.api[0]",
        ),
        (
            "[[prices.api]]\ninput = 1\noutput = 2\ntier = 'batch'",
            "4: prices.api[0].tier: is not looked at: write what the API asks for the standard tier",
        ),
        ("[prices.tiers]\nbatch = 0", '2: prices.tiers."batch": must be above 0 and up to 100, is 0'),
        ("[prices.tiers]\nbatch = inf", '2: prices.tiers."batch": must be above 0 and up to 100, is inf'),
        (
            "[prices.tiers]\nstandard = 2",
            '2: prices.tiers."standard": is what the others are multiples of: leave it out',
        ),
        (
            "[[prices.tier_of]]\ntier = 'batch'\nmodel = 'm'",
            '2: prices.tier_of[0].tier: "batch" has no multiplier in [prices.tiers] and no list in [[prices.tokens]]',
        ),
        (
            "[[prices.tier_of]]\ntier = 'standard'",
            "2: prices.tier_of[0]: name one of deployment, model, tenant: whose tokens are of this tier",
        ),
        (
            "[prices.tiers]\nbatch = 0.5\n[[prices.tier_of]]\ntier = 'batch'\nmodel = 'm'\n"
            "[[prices.tier_of]]\ntier = 'standard'\nmodel = 'm'",
            "8: prices.tier_of[1]: a tier is given already, in prices.tier_of[0]",
        ),
        (
            "[[prices.tasks]]\nusd_per_request = 1\n[[prices.tasks]]\nusd_per_request = 2",
            "4: prices.tasks[1]: this model's requests have a value already, in prices.tasks[0]",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line_and_path(text: str, message: str) -> None:
    assert refused(text) == message


def test_a_price_that_begins_in_the_future_is_accepted() -> None:
    section = parse("[prices]\nusd_per_gpu_hour = 1\neffective_from = 2099-01-01T00:00:00Z", "config.toml").prices
    assert section.effective_from_ms() == 4_070_908_800_000
