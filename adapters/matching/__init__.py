"""Matching services: keeping their picture of a learner current, as far as the learner agreed."""
