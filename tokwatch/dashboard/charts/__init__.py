"""Charts: frozen descriptions of what is to be drawn, which draw themselves as Lines."""
