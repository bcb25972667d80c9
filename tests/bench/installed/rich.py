"""Stands before ``rich`` on the path of the measured processes, as if it were not there.

structlog loads it where it is, 4 MB in each process. It comes with the packages of the tests; an installation of the
product has none.
"""

raise ImportError("no installation of the product has rich")
