"""The pages of arrivals: statements and refusals as a live list, one statement with its results, one course."""
