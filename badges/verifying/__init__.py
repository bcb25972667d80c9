"""The checks of a badge, ours or anybody's: each module makes one kind. ``badges.verifying.verify`` is the way in."""
