"""How much a deployment made in each minute, how much it can make within its SLO, and at what speed for its users."""
