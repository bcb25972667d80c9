import pytest

from lrs.storage import open_store
from lrs.xapi.documents.routes import HANDLERS
from tests.builders import answer_of, request_to, tenant_in

ADA = '{"objectType":"Agent","mbox":"mailto:ada@example.org"}'
STATE = ("activities/state", {"activityId": "https://example.org/a", "agent": ADA}, "stateId")
ACTIVITY_PROFILE = ("activities/profile", {"activityId": "https://example.org/a"}, "profileId")
AGENT_PROFILE = ("agents/profile", {"agent": ADA}, "profileId")


class Documents:
    """One document resource, called as the edge calls it; *name* names a document, *more* adds parameters."""

    def __init__(self, tenant, resource, context, parameter):
        self.tenant, self.resource, self.context, self.parameter = tenant, resource, context, parameter
        self.is_state = resource == "activities/state"
        self.kind = {"activities/state": "state", "activities/profile": "activity_profile"}.get(
            resource, "agent_profile"
        )

    def query(self, name, more=None):
        return {**self.context, **({self.parameter: name} if name is not None else {}), **(more or {})}

    def call(self, method, name, body=b"", *, more=None, **headers):
        request = request_to(self.tenant, method, self.resource, self.query(name, more), body, **headers)
        return answer_of(HANDLERS, request)

    def get(self, name, **options):
        return self.call("GET", name, **options)

    def put(self, name, body, **options):
        options.setdefault("content_type", "application/json")
        return self.call("PUT", name, body, **options)

    def create(self, name, body, **options):
        """PUT that is right in both versions for a document that is not there yet."""
        seen = self.put(name, body, if_none_match="*", **options)
        assert seen.status == 204, seen.body

    def post(self, name, body, **options):
        options.setdefault("content_type", "application/json")
        return self.call("POST", name, body, **options)

    def delete(self, name, **options):
        return self.call("DELETE", name, **options)


@pytest.fixture
def tenant(tmp_path, clock):
    store = open_store(f"sqlite:///{tmp_path}/lrs.db", clock=clock)
    yield tenant_in(tmp_path, store, clock, max_document=600_000)
    store.close()


@pytest.fixture(params=[STATE, ACTIVITY_PROFILE, AGENT_PROFILE], ids=lambda one: one[0])
def documents(request, tenant):
    return Documents(tenant, *request.param)


@pytest.fixture
def states(tenant):
    return Documents(tenant, *STATE)


@pytest.fixture(params=[ACTIVITY_PROFILE, AGENT_PROFILE], ids=lambda one: one[0])
def profiles(request, tenant):
    return Documents(tenant, *request.param)


@pytest.fixture(params=["1.0.3", "2.0.0"])
def version(request):
    return request.param
