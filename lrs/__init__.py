"""The learning record store: everything between an xAPI statement at the door and a delivered profile.

Only ``app``, ``worker`` and ``cli`` know that the ``badges`` and ``adapters`` packages exist.
"""
