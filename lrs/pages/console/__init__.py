"""The console: sources, mails, keys, the record of actions, the system."""
