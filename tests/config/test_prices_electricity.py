"""`[prices.electricity]`: one of three ways, and each instant with exactly one price."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.ledger.prices.electricity import Electricity, Flat, Period, TimeOfUse


def electricity(text: str) -> Electricity | None:
    prices = parse(text, "config.toml").prices.prices()
    return prices.electricity if prices else None


TARIFF = '[prices.electricity]\ntimezone = "Europe/Berlin"\notherwise = 0.2\n'
PERIOD = '[[prices.electricity.periods]]\nfrom = "{}"\nuntil = "{}"\nusd_per_kwh = {}\ndays = {}\n'


def test_one_price() -> None:
    assert electricity("[prices.electricity]\nusd_per_kwh = 0.085") == Flat(0.085)


def test_a_tariff() -> None:
    text = TARIFF + PERIOD.format("16:00", "21:00", 0.3, '["mon-fri"]')
    text += PERIOD.format("22:30", "6:15", 0.1, '["Sat", "fri-mon"]')
    assert electricity(text) == TimeOfUse(
        "Europe/Berlin",
        (Period(0.3, (0, 1, 2, 3, 4), 960, 1260), Period(0.1, (0, 4, 5, 6), 1350, 375)),
        0.2,
    )


def test_a_period_without_days_holds_on_all() -> None:
    text = '[prices.electricity]\ntimezone = "UTC"\n[[prices.electricity.periods]]\nusd_per_kwh = 0.3\n'
    assert electricity(text + 'from = "00:00"\nuntil = "24:00"') == TimeOfUse(
        "UTC", (Period(0.3, (0, 1, 2, 3, 4, 5, 6), 0, 1440),)
    )


def tariff(*periods: tuple[str, str], days: str = '["mon-fri"]', head: str = TARIFF) -> str:
    return head + "".join(PERIOD.format(begin, end, 0.3, days) for begin, end in periods)


HALF = TARIFF.replace("otherwise = 0.2\n", "")
NO_ZONE = TARIFF.replace('timezone = "Europe/Berlin"\n', "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[prices.electricity]",
            "1: prices.electricity: give one of usd_per_kwh, periods with a timezone, and file; there are 0",
        ),
        (
            tariff(("16:00", "21:00"), head=TARIFF + "usd_per_kwh = 0.1\n"),
            "8: prices.electricity: give one of usd_per_kwh, periods with a timezone, and file; there are 2",
        ),
        (
            "[prices.electricity]\nusd_per_kwh = 0.1\notherwise = 0.2",
            "3: prices.electricity.otherwise: belongs to periods, and usd_per_kwh is given",
        ),
        (
            "[prices.electricity]\nusd_per_kwh = 8.5",
            "2: prices.electricity.usd_per_kwh: must lie between 0 and 5, is 8.5: per kWh, not cents and not per MWh",
        ),
        (
            "[prices.electricity]\nusd_per_kwh = -0.1",
            "2: prices.electricity.usd_per_kwh: must lie between 0 and 5, is -0.1: per kWh, not cents and not per MWh",
        ),
        (
            tariff(("16:00", "21:00"), head=NO_ZONE),
            "6: prices.electricity.timezone: is missing: the hours of a tariff are local ones, "
            'write an IANA name such as "Europe/Berlin"',
        ),
        (
            tariff(("16:00", "21:00"), head=TARIFF.replace("Berlin", "Berln")),
            '2: prices.electricity.timezone: "Europe/Berln" is no time zone that this machine knows: '
            'write an IANA name such as "Europe/Berlin"; if it is one, install tzdata',
        ),
        (
            tariff(("16:00", "21:00"), head=TARIFF.replace("Europe/Berlin", "UTC+01:07")),
            '2: prices.electricity.timezone: "UTC+01:07" is off the quarter hour: prices change on quarter hours',
        ),
        (
            tariff(("16:10", "21:00")),
            "5: prices.electricity.periods[0].from: is off the quarter hour: prices change on quarter hours",
        ),
        (tariff(("24:00", "21:00")), "5: prices.electricity.periods[0].from: the day begins at 00:00"),
        (
            tariff(("16:00", "9 pm")),
            '6: prices.electricity.periods[0].until: "9 pm" is no time of day: '
            'write "16:00", and "24:00" for the end of the day',
        ),
        (
            tariff(("16:00", "21:00"), days='["monday"]'),
            '8: prices.electricity.periods[0].days: "monday" is no day: write "mon", "mon-fri" or "sat-sun"',
        ),
        (
            tariff(("16:00", "21:00"), days="[]"),
            '8: prices.electricity.periods[0].days: name a day: "mon", "mon-fri" or "sat-sun"',
        ),
        (
            tariff(("16:00", "21:00"), ("20:45", "22:00")),
            "12: prices.electricity.periods[1]: overlaps periods[0] on Monday at 20:45",
        ),
        (
            tariff(("16:00", "21:00"), ("16:00", "21:00")),
            "12: prices.electricity.periods[1]: overlaps periods[0] on Monday at 16:00",
        ),
        (
            tariff(("22:00", "06:00"), ("05:45", "08:00"), days='["sun"]'),
            None,
        ),
        (
            tariff(("22:00", "06:00"), ("05:45", "08:00"), days='["sat-sun"]'),
            "13: prices.electricity.periods[1]: overlaps periods[0] on Sunday at 05:45",
        ),
        (
            tariff(("00:00", "16:00"), days='["mon-sun"]', head=HALF),
            "6: prices.electricity: has no price on Monday at 16:00: give that of all other times as otherwise",
        ),
    ],
)
def test_a_tariff_that_gives_no_price_or_two_is_refused(text: str, message: str | None) -> None:
    if message is None:  # Sunday's night reaches into Monday, whose morning has no period
        assert electricity(text) is not None
    else:
        assert refused(text) == message


def test_an_absurd_price_is_judged_by_its_currency() -> None:
    text = "[prices]\ncurrency = 'KRW'\n[prices.electricity]\nusd_per_kwh = 150"
    assert electricity(text) == Flat(150)
