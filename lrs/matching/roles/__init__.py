"""Roles, what a learner still needs for one, and plans that close the gap."""
