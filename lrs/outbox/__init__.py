"""What is owed to others outside: deliveries, one schedule of tries, one list of what was given up on, channels."""
