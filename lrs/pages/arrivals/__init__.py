"""What arrives: statements and refusals as a live list, one statement with what followed from it, a course."""
