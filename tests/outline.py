"""A page as people get it: its texts, links, tables and forms, line by line, without the noise of markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import html

_BLOCKS = """
address article aside blockquote body button dd details dialog div dl dt fieldset figcaption figure footer form
h1 h2 h3 h4 h5 h6 header input iframe label legend li main nav ol option p pre section select summary svg table
textarea ul
"""
BLOCKS = frozenset(_BLOCKS.split())
SILENT = frozenset({"script", "style", "template", "link", "meta"})
FLAGS = ("checked", "disabled", "required", "readonly", "multiple", "hidden", "autofocus")
SAID = ("aria-label", "title", "lang", "role", "aria-current", "aria-invalid", "aria-live", "download", "target", "rel")
TOLD = frozenset((*SAID, *FLAGS))
ROLES = frozenset({"table", "row", "rowgroup", "cell", "columnheader", "rowheader", "img"})
"""Roles that every table and chart repeats."""
STATES = {"chip": ("good", "warn", "bad", "accent"), "note": ("good", "warn", "problem"), "error": ()}


def page(text: str, *, bar: bool = False) -> str:
    """The outline of the page *text*; with its menu, if *bar*. The same on all pages is left out."""
    tree = html.document_fromstring(text)
    named = " ".join(tree.xpath("string(//title)").split())
    lines = [f"title: {named} (lang: {tree.get('lang')})"]
    for child in tree.body:
        is_bar = child.get("class") in {"bar", "skip"}
        if bar or not is_bar:
            lines += _lines(child)
    return "\n".join(lines) + "\n"


def _lines(node: Any) -> Iterator[str]:
    """The lines of a block *node*."""
    if not isinstance(node.tag, str) or node.tag in SILENT:
        return
    if node.tag in _WAYS:
        yield from _WAYS[node.tag](node)
    else:
        said = _attributes(node)
        state = _state(node)
        if said or state:
            yield f"{node.tag}{state}{said}:"
            yield from _indented(_content(node))
        else:
            yield from _content(node)


def _content(node: Any) -> Iterator[str]:
    """What is in *node*: each block by itself, and each run of text between two of them as one line."""
    run = [node.text or ""]
    for child in node:
        if _is_block(child):
            yield from _flushed(run)
            yield from _lines(child)
            run = [child.tail or ""]
        else:
            run += [_inline(child), child.tail or ""]
    yield from _flushed(run)


def _flushed(run: list[str]) -> Iterator[str]:
    if text := _one("".join(run)):
        yield text


def _is_block(node: Any) -> bool:
    if not isinstance(node.tag, str):
        return False
    return node.tag in BLOCKS or any(_is_block(child) for child in node)


def _inline(node: Any) -> str:
    if not isinstance(node.tag, str) or node.tag in SILENT:
        return ""
    content = (node.text or "") + "".join(_inline(child) + (child.tail or "") for child in node)
    said = _attributes(node)
    match node.tag:
        case "br":
            told = " / "
        case "img":
            told = f"![{node.get('alt')}]({_address(node.get('src'))})"
        case "a":
            told = f"[{_one(content)}]({_address(node.get('href'))}){said}"
        case "code" | "kbd":
            told = f"`{content}`{said}"
        case "progress":
            told = f"<{node.get('value')} of {node.get('max')}>{said} "
        case _:
            state = _state(node)
            told = f"<{_one(content)}{state}>{said}" if state else content + said
    return told


def _state(node: Any) -> str:
    classes = (node.get("class") or "").split()
    return "".join(
        f" {one}" for of, states in STATES.items() if of in classes for one in classes if one in (of, *states)
    )


def _attributes(node: Any) -> str:
    """What is said of *node* to those who do not see it, and whether it can be used."""
    if not TOLD.intersection(node.keys()):
        return ""
    said = [
        f"{name}={node.get(name)}"
        for name in SAID
        if node.get(name) and not (name == "role" and node.get(name) in ROLES)
    ]
    flags = [name for name in FLAGS if node.get(name) is not None]
    return f" {{{', '.join(said + flags)}}}" if said or flags else ""


def _address(address: str | None) -> str:
    return re.sub(r"(?<=/static/)([^?]+)\?v=\w+$", r"\1", address or "")


def _one(text: str) -> str:
    return " ".join(text.split())


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"


def _heading(node: Any) -> Iterator[str]:
    yield f"{'#' * int(node.tag[1])} {' '.join(_content(node))}{_attributes(node)}"


def _item(node: Any) -> Iterator[str]:
    first, *more = [*_content(node)] or [""]
    yield f"- {first}{_attributes(node)}"
    yield from _indented(iter(more))


def _definition(node: Any) -> Iterator[str]:
    for child in node:
        if child.tag == "dt":
            yield f"{' '.join(_content(child))}:"
        elif child.tag == "dd":
            yield from _indented(_content(child))
        else:
            yield from _lines(child)


def _table(node: Any) -> Iterator[str]:
    for child in node:
        if child.tag == "caption":
            yield f"table: {_one(child.text_content())}"
    for row in node.iter("tr"):
        cells = [_cell(cell) for cell in row if cell.tag in {"th", "td"}]
        yield f"  {' | '.join(cells)}{_attributes(row)}"
        if row.getparent().tag == "thead":
            yield "  ---"


def _cell(cell: Any) -> str:
    order = f" {{{cell.get('aria-sort')}}}" if cell.get("aria-sort") else ""
    return " / ".join(_content(cell)) + order + _attributes(cell)


def _chart(node: Any) -> Iterator[str]:
    texts = [_one(text.text_content()) for text in node.iter("{*}text", "text")]
    shapes = [f"{one.get('width')}x{one.get('height')}" for one in node.iter("{*}rect", "rect")]
    yield f"chart{_attributes(node)}: {'; '.join(texts)} ({', '.join(shapes)})"


def _form(node: Any) -> Iterator[str]:
    files = " with files" if node.get("enctype") == "multipart/form-data" else ""
    yield f"form {(node.get('method') or 'get').upper()} {_address(node.get('action'))}{files}{_attributes(node)}"
    yield from _indented(_content(node))


def _label(node: Any) -> Iterator[str]:
    yield " ".join(_content(node)) + _attributes(node)


def _input(node: Any) -> Iterator[str]:
    kind, name, value = node.get("type", "text"), node.get("name"), node.get("value")
    if name == "form" and kind == "hidden":
        return  # the mark against forms of other sites, which each form has
    if kind in {"checkbox", "radio"}:
        mark = "x" if node.get("checked") is not None else " "
        rest = _attributes(node).replace("checked, ", "").replace(", checked", "").replace(" {checked}", "")
        yield f"{'[' + mark + ']' if kind == 'checkbox' else '(' + mark + ')'} {name}={value}{rest}"
        return
    limits = "".join(f" {limit}={node.get(limit)}" for limit in ("min", "max", "step", "pattern", "accept", "list"))
    limits = re.sub(r" \w+=None", "", limits)
    longest = node.get("maxlength")
    longest = f" maxlength={longest}" if longest not in {None, "500"} else ""
    yield f"[{kind} {name}={value or ''}{limits}{longest}]{_attributes(node)}"


def _area(node: Any) -> Iterator[str]:
    yield f"[textarea {node.get('name')}={node.text or ''} maxlength={node.get('maxlength')}]{_attributes(node)}"


def _select(node: Any) -> Iterator[str]:
    yield f"[select {node.get('name')}]{_attributes(node)}"
    for option in node.iter("option"):
        mark = "x" if option.get("selected") is not None else " "
        yield f"  ({mark}) {option.get('value')}: {_one(option.text_content())}"


def _button(node: Any) -> Iterator[str]:
    if node.get("data-copy"):
        return  # shown only where scripts run
    value = f" {node.get('name')}={node.get('value')}" if node.get("name") else ""
    to = f" to {_address(node.get('formaction'))}" if node.get("formaction") else ""
    yield f"[button {' '.join(_content(node))}{value}{to}]{_attributes(node)}"


def _opened(node: Any) -> Iterator[str]:
    is_open = " open" if node.get("open") is not None else ""
    yield f"{node.tag}{is_open}{_attributes(node)}:"
    yield from _indented(_content(node))


def _written(node: Any) -> Iterator[str]:
    yield "```"
    yield from node.text_content().splitlines()
    yield "```"


_WAYS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
    "li": _item,
    "dl": _definition,
    "table": _table,
    "svg": _chart,
    "form": _form,
    "label": _label,
    "legend": _label,
    "input": _input,
    "textarea": _area,
    "select": _select,
    "button": _button,
    "details": _opened,
    "dialog": _opened,
    "pre": _written,
}
