"""What earlier files of a provider told, what a new file changes of it, and the commit that stores both."""
