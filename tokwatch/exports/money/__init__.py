"""The money of a stored period: its bill, what its tokens cost and earned, and what would have been otherwise."""
