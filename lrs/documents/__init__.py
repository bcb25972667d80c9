"""State, Activity Profile and Agent Profile documents."""
