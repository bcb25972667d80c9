"""Courses, their versions and the files of their packages. Knows no learner and no launch."""
