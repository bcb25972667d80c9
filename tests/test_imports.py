"""What modules import of one another. Which room knows which is import-linter's; this is about modules."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("lrs", "adapters", "badges")


def test_no_modules_import_each_other_in_a_circle_not_even_for_types():
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    known = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    try:
        ordered = list(TopologicalSorter(known).static_order())
    except CycleError as error:
        raise AssertionError(f"these import each other: {' -> '.join(error.args[1])}") from error

    assert len(ordered) == len(known) > 300
