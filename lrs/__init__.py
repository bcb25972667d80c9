"""The learning record store: takes xAPI statements, works out levels and delivers profiles.

Only ``app``, ``cli``, ``serving``, ``composition`` and ``ops`` import the packages ``badges`` and ``adapters``.
"""
