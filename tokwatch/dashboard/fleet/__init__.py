"""The fleet's dashboard: hosts, deployments and sites of many boxes. An app of its own, with the house's widgets."""
