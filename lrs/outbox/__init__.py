"""Deliveries to other systems: channels, destinations, one schedule of tries, one list of deliveries."""
