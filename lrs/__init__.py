"""The learning record store: takes xAPI statements, works out levels and delivers profiles.

Only ``app``, ``site``, ``cli``, ``serving``, ``composition`` and ``ops`` import ``badges`` and ``adapters``.
"""
