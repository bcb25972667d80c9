"""The pages of the operator of the installation: its organisations, its operators, its state, and its first minutes."""
