"""The process that serves: the command, the socket and the server. Starts the application."""
