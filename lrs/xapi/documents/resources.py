"""How the three document resources differ: parameters, the id of a document, its context. Knows no store.

Rules: xAPI 1.0.3 Communication 2.3, 2.6, 2.7; IEEE 9274.1.1 4.1.6.2, 4.1.6.5, 4.1.6.6.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import unquote

import msgspec

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.xapi.request import Request
from lrs.xapi.statements.formats import is_iri, is_uuid
from lrs.xapi.statements.query import place_of, read_agent


class Description(msgspec.Struct, frozen=True):
    """One resource. *context* are its required parameters, *document* the parameter that names a document."""

    resource: str
    kind: str
    noun: str
    context: tuple[str, ...]
    document: str
    registered: bool = False
    """Whether a registration may narrow the context; such documents can also be deleted all at once."""


STATE = Description("activities/state", "state", "State", ("activityId", "agent"), "stateId", registered=True)
ACTIVITY_PROFILE = Description(
    "activities/profile", "activity_profile", "Activity Profile", ("activityId",), "profileId"
)
AGENT_PROFILE = Description("agents/profile", "agent_profile", "Agent Profile", ("agent",), "profileId")
ALL = (STATE, ACTIVITY_PROFILE, AGENT_PROFILE)

LEDGERS = "https://w3id.org/engraft/ledgers/"
"""Up to version 0.2 adapters kept their ledger in Activity Profile documents of activities below this IRI,
``<adapter>/<provider>``. Such documents are read once (``adapters.imports.before``) and stay as they are.
"""


class Address(msgspec.Struct, frozen=True):
    """One document, or, if *document* is ``None``, all documents of a context.

    *activity* and *agent* (its ``ifi_text``) are empty if the resource has none; *registration* is empty if none was
    named. Documents are listed from the place *after* in the order.
    """

    kind: str
    activity: str
    agent: str
    registration: str = ""
    document: str | None = None
    after: int = 0

    @property
    def id(self) -> str:
        """The document's id in the store."""
        parts = [self.activity, self.agent, self.registration, self.document]
        return sha256(msgspec.json.encode(parts)).hexdigest()

    @property
    def context_key(self) -> int:
        """The search key of all documents of the context: of every registration, unless one was named."""
        return _context_key(self, self.registration)

    @property
    def keys(self) -> tuple[int, ...]:
        """The search keys of the document: its context with and without registration, and its agent."""
        keys = {_context_key(self, "")}
        if self.registration:
            keys.add(_context_key(self, self.registration))
        if self.agent:
            keys.add(agent_key(self.kind, self.agent))
        return tuple(sorted(keys))


def agent_key(kind: str, identity: str) -> int:
    """The search key of all documents of *kind* about the agent with this ``ifi_text``."""
    return key(f"{kind} of agent", identity)


def _context_key(address: Address, registration: str) -> int:
    return key(address.kind, address.activity, address.agent, registration)


def read_address(description: Description, request: Request) -> Address:
    """What the parameters of a request name. Refuses (400) missing, unknown and malformed ones, for every method.

    Foreign parameters do no harm beside the id of a document. Without the id, a misspelt one would list or delete a
    whole context.
    """
    optional = ("registration",) if description.registered else ()
    allowed = (
        *description.context,
        description.document,
        *optional,
        *(("since",) if request.method in {"GET", "HEAD"} else ()),
    )
    one_only = request.method in {"PUT", "POST"} or (request.method == "DELETE" and not description.registered)
    required = (*description.context, description.document) if one_only else description.context
    names_one = any(name == description.document for name, _ in request.query)
    given = request.parameters(allowed, required, lenient=names_one)
    document = given.get(description.document)
    if document == "":
        raise request.wrong(f"parameter {description.document!r} is empty")
    if document is not None and "since" in given:
        raise request.wrong(f"parameter 'since' is for lists: it cannot stand beside {description.document!r}")
    return Address(
        description.kind,
        read_activity(request, given["activityId"]) if "activityId" in given else "",
        read_agent(given["agent"], request.version)[1] if "agent" in given else "",
        _registration(request, given.get("registration")),
        document,
        _after(request, given.get("since")),
    )


def check_owner(address: Address, caller: Caller, *, reads: bool) -> None:
    """Refuses (403) to read the ledger of a provider other than the caller's source, and to change any ledger.

    It does so whether the document exists or not. A ledger holds what a provider sent about its learners. A program of
    version 0.2 that changed it would not know of later corrections, because the server keeps ledgers of its own since
    0.3.
    """
    if not address.activity.startswith(LEDGERS):
        return
    if not caller.may_all("ledgers.read") and unquote(address.activity.rpartition("/")[2]) != caller.source:
        raise Refused(
            "this ledger is another provider's: use a key that was made for the provider, or one with the scope all",
            status=403,
            error="forbidden",
        )
    if not reads:
        raise Refused(
            "since version 0.3 the server keeps this ledger itself: update the program that imports files"
            " (lrs adapter run), which sends the file to the server now",
            status=403,
            error="forbidden",
        )


def read_activity(request: Request, value: str) -> str:
    """The ``activityId`` parameter."""
    if not is_iri(value):
        raise request.wrong("parameter 'activityId' must be an IRI with a scheme")
    return value


def _registration(request: Request, value: str | None) -> str:
    if value is not None and not is_uuid(value):
        raise request.wrong("parameter 'registration' must be a UUID")
    return (value or "").lower()


def _after(request: Request, value: str | None) -> int:
    if value is None:
        return 0
    try:
        return place_of(value)
    except ValueError as error:
        raise request.wrong("parameter 'since' must be an ISO 8601 timestamp") from error
