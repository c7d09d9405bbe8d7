"""What tokens cost and earn: arithmetic on floats. Unknown is None, a cost without tokens infinite, never 0."""
