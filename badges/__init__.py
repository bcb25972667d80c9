"""Open Badges: composed, signed, verified, delivered. Knows the record store; the store does not know it."""
