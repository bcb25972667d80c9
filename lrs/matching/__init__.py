"""Skill profiles: what a learner holds, and what a role still needs."""
