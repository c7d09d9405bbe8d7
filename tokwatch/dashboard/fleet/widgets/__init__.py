"""What the fleet's screens are made of, one widget a file."""
