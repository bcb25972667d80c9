"""The catalogue: courses, training sessions and placements listed as one, and what a learner plans of it."""
