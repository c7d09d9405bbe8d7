"""The screens of the fleet, one a file."""
