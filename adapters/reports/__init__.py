"""What a sender gets back of a file: the report, and its own rows with the outcome of each."""
