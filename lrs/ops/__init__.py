"""Running an installation: serve, doctor, metrics, backup, worker commands, the demonstration."""
