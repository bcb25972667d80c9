"""The names of claims, messages, scopes and media types in LTI 1.3 Advantage. Nothing but texts."""

from __future__ import annotations

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MESSAGE_TYPE, VERSION, DEPLOYMENT = _LTI + "message_type", _LTI + "version", _LTI + "deployment_id"
LINK, CONTEXT, ROLES = _LTI + "resource_link", _LTI + "context", _LTI + "roles"
PLATFORM, PRESENTATION, CUSTOM = _LTI + "tool_platform", _LTI + "launch_presentation", _LTI + "custom"
EXT, LIS = _LTI + "ext", _LTI + "lis"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
MEMBERSHIPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"

RESOURCE_LINK_REQUEST, DEEP_LINKING_REQUEST = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"

READ_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM, READ_RESULT, WRITE_SCORE = _AGS + "lineitem", _AGS + "result.readonly", _AGS + "score"
SCOPES = (READ_MEMBERS, LINE_ITEM, READ_RESULT, WRITE_SCORE)
"""What a registration asks for. Each call asks only for what a launch has offered."""

PLATFORM_SETUP = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_SETUP = "https://purl.imsglobal.org/spec/lti-tool-configuration"

_ROLES = "http://purl.imsglobal.org/vocab/lis/v2/"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
TEACHING = frozenset({"Instructor", "ContentDeveloper", "Administrator", "TeachingAssistant", "Manager"})
"""Roles in a course that see its roster and its grades. No role of a platform gives a right to administer here.

A mentor is none of them: that is what platforms call a parent, or whoever else looks after some learners of the course
(LTI Core 1.3, 5.4.3, "role_scope_mentor"; observers in Canvas).
"""


def short_role(role: str) -> str:
    """The name of a role in a course, such as ``Learner``, of its URI or of the short name that Moodle writes.

    Empty for any other role, as in the institution or the system: who administers those is a learner in a course, or
    nothing.
    """
    if role.startswith(_ROLES + "membership/"):  # a sub-role: .../membership/Instructor#TeachingAssistant
        return role.removeprefix(_ROLES + "membership/").partition("#")[0]
    name = role.removeprefix(_ROLES + "membership#")
    return name if name.isalpha() else ""
