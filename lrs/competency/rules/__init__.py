"""Rules: which activities prove which competency, the sets of them, and what a change takes away."""
