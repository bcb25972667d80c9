"""The public addresses that badges point to. Routes only; decides nothing."""
