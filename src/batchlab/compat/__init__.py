"""Ways in for programs written for others: their calls, on this engine."""
