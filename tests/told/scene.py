"""A tenant at noon of 21 November 2026, and what acts change in it: the ground of told stories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lrs.storage import Record
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, tenant_in
from tests.told.story import Changes, Statements, Story, inline, tried


class Scene:
    """Tells acts on one tenant: what each gives, how it is refused, and which records of *kinds* it changes."""

    def __init__(
        self,
        folder: Path,
        kinds: tuple[str, ...],
        views: Mapping[str, Callable[[Record], Any]] | None = None,
        **more: Any,
    ) -> None:
        self.clock = Clock()
        self.tenant: Tenant = tenant_in(folder, clock=self.clock, **more)
        self.store, self.story = self.tenant.store, Story()
        self.changes, self.statements = Changes(self.store, kinds, views), Statements(self.store)

    def work(self) -> None:
        """Does what is owed after an act: here nothing."""

    def write(self, decide: Callable[[Any], Any]) -> Any:
        return self.store.write(decide).result()

    def act(self, title: str, act: Callable[[], Any], *, told: Callable[[Any], str] = lambda _: "done") -> Any:
        """Does *act* and what follows from it, and tells what it gives and changes."""
        found: list[Any] = []
        said = tried(lambda: found.append(act()), lambda _: told(found[0]))
        self.work()
        self.story.say(f"- {title}: {said}")
        for one in (*self.changes.new(), *self.statements.new()):
            self.story.extend(f"    {line}" for line in one.splitlines())
        return found[0] if found else None

    def given(self, act: Callable[[], Any]) -> Any:
        """Does *act* and what follows from it, which another test tells."""
        found = act()
        self.work()
        list(self.changes.new()), list(self.statements.new())
        return found

    def audited(self) -> None:
        self.story.head("recorded, newest first")
        self.story.extend(f"{one.action} by {one.by} {inline(one.about)}" for one in audit.newest(self.store, 500))
