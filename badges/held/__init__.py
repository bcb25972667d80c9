"""What is decided about a badge that stands: its holder's wallet, name and shares, and a steward's stop."""
