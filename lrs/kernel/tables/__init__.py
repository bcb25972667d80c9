"""The one reader of every table that people send: frameworks, rules, roles, providers' files; CSV and XLSX.

From the bottom: ``file`` (bytes), ``sort`` (the type of file), ``text`` and ``delimited`` (CSV), ``elements`` (XML),
``package``, ``workbook`` and ``formats`` (XLSX), ``header`` (which row names the columns), ``table`` and ``opening``
(rows), ``notes`` (messages to people). ``docs/tables.md`` describes the same for those who send files.

A row (``lrs.kernel.tables.row.Row``) has:

``cells[column]``
    the text that the cell *shows*, without outer blanks; ``""`` if it is empty or the row has no such column. A date
    cell is ISO (``2026-11-03``, with a time only if the cell shows one: ``2026-11-03 09:30:00``), a time of day
    ``09:30:00``, an elapsed time as shown (``7:30``), a number as shown (``1.10``, ``0012``), a percentage ``80%``.
``values.get(column)``
    what a cell of a workbook holds when that is more than text: ``date``, ``datetime`` (naive, local), ``time`` (of
    day, or a duration below 24 hours: the file does not tell), ``timedelta`` (elapsed, from ``[h]:mm``), ``Decimal`` (a
    number) or ``Percent`` (in per cent: 80 for 80 %). ``None`` for a text cell, and always for CSV.
``faults.get(column)``
    why the cell cannot be used, as an ``Unusable`` to raise when the column is read: ``formula``, ``error_value``
    (``#N/A``), ``number_format``, ``date_value``, ``merged``, ``encoding``, ``cell_too_long``. ``cells`` still has what
    the cell shows.
``trouble``
    why the whole row cannot be used: ``too_many_cells``, ``open_quote``, ``cell_too_long``, ``cut_off``, ``encoding``,
    ``hidden_row``, ``second_table``.
"""
