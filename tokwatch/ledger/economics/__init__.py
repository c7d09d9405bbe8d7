"""What tokens cost and earn: plain arithmetic on floats. Unknown is None; a cost without tokens is infinite, never 0."""
