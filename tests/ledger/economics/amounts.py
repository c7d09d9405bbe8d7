"""Amounts drawn for property tests: what a fleet counts in a window, zeros and unknowns among them."""

from __future__ import annotations

from hypothesis import strategies as st

from tokwatch.ledger.economics.revenue import TokenPrices
from tokwatch.ledger.economics.token_cost import Split, Tokens, Weights

USD = st.just(0.0) | st.floats(1e-6, 1e9)
COUNTS = st.just(0.0) | st.floats(1.0, 1e15)
SHARES = st.floats(0.0, 1.0)
FACTORS = st.floats(0.0, 100.0)
SECONDS = st.floats(1.0, 1e7)
ANY_USD = st.none() | USD
ANY_COUNT = st.none() | COUNTS
PRICES = st.none() | st.just(0.0) | st.floats(1e-3, 1e3)

TOKENS = st.builds(Tokens, COUNTS, COUNTS, COUNTS)
SPLITS = st.builds(Split, PRICES, PRICES, PRICES)
TOKEN_PRICES = st.builds(TokenPrices, PRICES, PRICES, PRICES, PRICES)
WEIGHTS = st.builds(Weights, st.floats(0.01, 10.0), st.floats(0.001, 1.0), st.just(1.0))
