"""Sources of evidence and takers of profiles. Each adapter stands alone; none imports another."""
