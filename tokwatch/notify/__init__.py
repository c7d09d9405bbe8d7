"""Alerts on their way out of the program: a command, a webhook, an Alertmanager. Only live recorders have one."""
