"""Tin Can packages: their ``tincan.xml``, and what launched content may send.

Sources: Rustici's schema of ``tincan.xml`` and its launch guideline (``endpoint, auth, actor, registration,
activity_id``). The content calls itself by the ids in its ``tincan.xml``, so these are kept as they are.
"""
