"""The tables in which each room is entered: kinds of records, steps, channels, subscriptions.

Code that serves all rooms is given a table and goes through it, so it names no room: ``rebuild`` and the backup get the
kinds, the worker the steps, the outbox the channels. ``renaming`` is a step that changes records of several rooms, so
it is here, too. ``lrs.ops`` imports this package; ``lrs.app``, ``lrs.serving`` and ``lrs.cli``, which start the
program, import both.
"""
