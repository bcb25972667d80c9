"""What runs and looks after an installation: serve, doctor, metrics, backup, the demonstration."""
