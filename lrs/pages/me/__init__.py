"""The pages of a learner about themselves, under ``/me``: only ever about the person who is signed in."""
