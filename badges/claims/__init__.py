"""How somebody gets at a badge without an account: links to claim one, and codes of events."""
