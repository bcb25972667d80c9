"""What every command says of itself: what it does, its arguments and options, what they are unless they are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest

from lrs.cli import main
from tests.told.story import Story


def commands(group: click.Group, path: str = "lrs") -> Iterator[tuple[str, click.Command]]:
    """Each command with what it is called by, those of *group* that are groups, too."""
    yield path, group
    with click.Context(group, info_name=path) as context:
        named = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    for name, one in named:
        if isinstance(one, click.Group):
            yield from commands(one, f"{path} {name}")
        elif one is not None:
            yield f"{path} {name}", one


def test_help_of_every_command(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: dict[str, Story] = {}
    for path, command in commands(main):
        words = path.split()
        is_of_group = len(words) > 2 or (isinstance(command, click.Group) and command is not main)
        story = parts.setdefault(words[1] if is_of_group else "lrs", Story())
        story.head(path)
        monkeypatch.setattr(command, "_help_option", None)  # click keeps it as it was first asked for
        with click.Context(command, info_name=path, terminal_width=100, **main.context_settings) as context:
            story.say(command.get_help(context))
    for group, said in parts.items():
        told(str(said), group, is_tidy=True)
