"""Pages about badges: those of staff, and those that anybody may see."""
