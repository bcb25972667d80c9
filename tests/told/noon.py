"""When told worlds are: at noon of 21 November 2026."""

NOW = 1_795_262_400
"""In seconds UTC."""
