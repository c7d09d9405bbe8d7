"""The price book: what GPUs, electricity and tokens cost and fetch, in versions that take effect in time. Pure."""
