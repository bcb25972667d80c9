"""Open Badges: credentials composed, signed, verified and delivered. Knows the record store; the store does not know it."""
