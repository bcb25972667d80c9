"""HTTP as every route has it: the protocol, what is let in, headers for browsers, refusals. Knows no room."""
