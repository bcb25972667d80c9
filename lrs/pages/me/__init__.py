"""A learner's own pages under ``/me``. They are only about the person who is signed in."""
