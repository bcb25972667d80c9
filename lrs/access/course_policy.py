"""The lines of the table of rights for courses: content that was launched, platforms that launch it, who makes it."""

from __future__ import annotations

from lrs.access import ALL, CONTENT, KEY, OWN, PLATFORM, SELF, SESSION
from lrs.access.policy_lines import PUBLIC, PolicyLine, PolicyTable, listed

_CONTENT = PolicyLine("launch.run", (CONTENT,), frozenset({SELF}))
_FETCH = PolicyLine(PUBLIC, any_origin=True)
_KEYS = PolicyLine("platforms.manage", (KEY,), frozenset({ALL}))
_PLATFORM = PolicyLine("courses.launch", (PLATFORM,), frozenset({OWN}))
_AUTHORS = PolicyLine("courses.manage", (SESSION,), frozenset({ALL}), pages="staff")
_DOCUMENTS = ("activities/state", "activities/profile", "agents/profile")
API = "/cmi5/api/v1"
"""The addresses of ADL's CATAPULT player."""

COURSE_TABLE: PolicyTable = {
    # the xAPI endpoint of launched content, which narrows all to its session
    **{("GET", f"/cmi5/xapi/{resource}"): _CONTENT for resource in (*_DOCUMENTS, "statements", "activities", "agents")},
    **{(method, f"/cmi5/xapi/{resource}"): _CONTENT for resource in _DOCUMENTS for method in ("PUT", "POST", "DELETE")},
    **{(method, "/cmi5/xapi/statements"): _CONTENT for method in ("PUT", "POST")},
    ("GET", "/cmi5/xapi/about"): PolicyLine(PUBLIC),
    ("POST", "/cmi5/fetch/{token}"): _FETCH,
    ("OPTIONS", "/cmi5/fetch/{token}"): _FETCH,
    ("GET", "/content/{package}/{path:path}"): PolicyLine(PUBLIC),
    # platforms
    ("POST", f"{API}/tenant"): _KEYS,
    ("DELETE", f"{API}/tenant/{{id}}"): _KEYS,
    ("POST", f"{API}/auth"): _KEYS,
    ("GET", f"{API}/ping"): _PLATFORM,
    ("GET", f"{API}/about"): _PLATFORM,
    ("POST", f"{API}/course"): _PLATFORM,
    ("GET", f"{API}/course/{{id}}"): _PLATFORM,
    ("DELETE", f"{API}/course/{{id}}"): _PLATFORM,
    ("POST", f"{API}/course/{{id}}/launch-url/{{index}}"): _PLATFORM,
    ("POST", f"{API}/registration"): _PLATFORM,
    ("GET", f"{API}/registration/{{id}}"): _PLATFORM,
    ("DELETE", f"{API}/registration/{{id}}"): _PLATFORM,
    ("POST", f"{API}/registration/{{id}}/waive-au/{{index}}"): _PLATFORM,
    ("GET", f"{API}/registration/{{id}}/learner-prefs"): _PLATFORM,
    ("POST", f"{API}/registration/{{id}}/learner-prefs"): _PLATFORM,
    ("DELETE", f"{API}/registration/{{id}}/learner-prefs"): _PLATFORM,
    ("GET", f"{API}/session/{{id}}"): _PLATFORM,
    ("POST", f"{API}/session/{{id}}/abandon"): _PLATFORM,
    # authors
    **listed("/staff/courses", _AUTHORS),
    ("POST", "/staff/courses"): _AUTHORS,
    ("GET", "/staff/courses/{id}"): _AUTHORS,
    ("GET", "/staff/courses/{id}/rules.csv"): _AUTHORS,
    ("POST", "/staff/courses/{id}/withdraw"): _AUTHORS,
    **listed("/staff/courses/{id}/learners", _AUTHORS),
}
"""Lines of ``policy.TABLE``."""
