"""Open Badges: composed, signed, verified, delivered. Imports the record store, which does not import this."""
