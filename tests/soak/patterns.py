"""Every regular expression of the sources and how it is used, and texts of 100 KB made to be slow for it."""

from __future__ import annotations

import ast
import contextlib
import importlib
import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

ROOT = Path(__file__).parents[2]
WAYS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
LONG = 100_000
ENDS = ("", "!", "\n")
_FINDING = settings(database=None, derandomize=True, max_examples=200, suppress_health_check=list(HealthCheck))


class Use(NamedTuple):
    """A pattern and the method it is used by, ``search`` say."""

    module: str
    name: str
    pattern: re.Pattern
    way: str

    def on(self, text: str) -> Callable[[], object]:
        """What the product does with *text*."""
        given = text.encode("latin-1", "replace") if isinstance(self.pattern.pattern, bytes) else text
        if self.way in {"sub", "subn"}:
            return partial(getattr(self.pattern, self.way), given[:0], given)
        method = getattr(self.pattern, self.way)
        return (lambda: list(method(given))) if self.way == "finditer" else partial(method, given)


def uses() -> tuple[list[Use], set[str]]:
    """All uses, and the modules with patterns that are only put together when they are used."""
    found: dict[tuple[object, ...], Use] = {}
    later: set[str] = set()
    for path in sorted(path for package in ("lrs", "adapters", "badges") for path in (ROOT / package).rglob("*.py")):
        if path.name == "__main__.py" or path.parent.name == "samples":  # they run what they are the beginning of
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        found |= {(use.pattern, use.way): use for use in (*_written_out(module, tree), *_by_name(module, tree))}
        if _makes_when_used(tree):
            later.add(module)
    return list(found.values()), later


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("re"), attr=way)) if way in WAYS or way == "compile":
                yield node, way


def _written_out(module: str, tree: ast.Module) -> Iterator[Use]:
    for call, way in _calls(tree):
        if way in WAYS and isinstance(call.args[0], ast.Constant):
            text = call.args[0].value
            yield Use(module, repr(text), re.compile(text, _flags(call)), way)


def _by_name(module: str, tree: ast.Module) -> Iterator[Use]:
    named, bound = _kept(module)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(name), attr=way) if name in named and way in WAYS:
                yield Use(module, name, named[name], way)
            case ast.Name(name, ast.Load()) if name in bound:
                yield Use(module, name, bound[name].__self__, bound[name].__name__)


def _makes_when_used(tree: ast.Module) -> bool:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    outside = [node for node in tree.body if not isinstance(node, functions)]
    at_the_start = {id(call) for node in outside for call, _ in _calls(node)}
    return any(
        id(call) not in at_the_start if way == "compile" else not isinstance(call.args[0], ast.Constant)
        for call, way in _calls(tree)
    )


def never_used(found: list[Use]) -> list[str]:
    """Patterns of the modules in *found* that stand there and of which no use was found."""
    used = {use.pattern for use in found}
    return [
        f"{module} {name}"
        for module in sorted({use.module for use in found})
        for name, pattern in _kept(module)[0].items()
        if pattern not in used
    ]


def killers(pattern: re.Pattern) -> Iterator[str]:
    """A beginning that *pattern* takes, then one or two of its own characters over and over, then an end."""
    source = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    units = sorted(set(source) | set("a1 .-:/\t\u00e9"))
    units += ["".join(pair) for pair in itertools.permutations("a1 .-:", 2)]
    for start, unit, end in itertools.product(_starts(pattern), units, ENDS):
        yield start + unit * (LONG // len(unit)) + end


def _starts(pattern: re.Pattern) -> list[str]:
    """The beginnings of a short and of a longer word that *pattern* takes."""
    everything = {"alphabet": st.characters()} if isinstance(pattern.pattern, str) else {}
    words = st.from_regex(pattern, fullmatch=True, **everything)
    starts = {""}
    for shorter in (0, 5):
        with contextlib.suppress(NoSuchExample, Unsatisfiable):
            word = find(words, lambda one, n=shorter: len(one) > n, settings=_FINDING)
            text = word.decode("latin-1") if isinstance(word, bytes) else word
            starts |= {text[:length] for length in range(min(len(text), 8) + 1)}
    return sorted(starts)


def _kept(module: str) -> tuple[dict[str, re.Pattern], dict[str, Callable]]:
    """The patterns that are names of *module*, and the methods of patterns that are."""
    held = vars(importlib.import_module(module))
    return (
        {name: one for name, one in held.items() if isinstance(one, re.Pattern)},
        {name: one for name, one in held.items() if isinstance(getattr(one, "__self__", None), re.Pattern)},
    )


def _flags(call: ast.Call) -> int:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    names = [one.attr for each in given for one in ast.walk(each) if isinstance(one, ast.Attribute)]
    return sum(re.RegexFlag[name] for name in names if name in re.RegexFlag.__members__)
