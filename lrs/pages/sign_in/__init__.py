"""The ways in which staff and learners sign in."""
