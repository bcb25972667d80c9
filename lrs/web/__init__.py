"""The parts of HTTP that all routes share: protocol, admission, headers for browsers, refusals. Knows no room."""
