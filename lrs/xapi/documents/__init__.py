"""State, Activity Profile and Agent Profile documents: three resources, one implementation."""
