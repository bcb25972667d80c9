"""The steps that bring badges up to date with awards, with words and with keys."""
