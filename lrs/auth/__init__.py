"""Who is calling: API keys, their scopes, and the one policy table."""
