"""An example for each shape that a service is sent or answered, taken from the sample programme (``lrs demo``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SUBJECT = "c629b4e04a1d7410779945e0cd8caaf0"
_FRAMEWORK = "https://engraft-demo.example/frameworks/advanced-therapies"
_HELD = {
    "competency": {
        "id": "42971f2f-3d64-578c-873d-90959dc92fa4",
        "label": "Aseptic manipulation",
        "framework": _FRAMEWORK,
        "version": 1,
        "code": "A2",
    },
    "level": {"ordinal": 2, "code": "2", "label": "Practitioner"},
    "state": "held",
    "since": "2026-11-18",
    "validUntil": "2027-11-18",
}
_BADGE = {
    "id": "5d0b2f6c1f7e4a53b0c2a9d4e8f01b67",
    "achievement": "https://skills.example.org/t/default/achievements/a2-2",
    "name": "Aseptic manipulation: Practitioner",
    "validFrom": "2026-11-18T00:00:00Z",
    "validUntil": "2027-11-18T23:59:59Z",
    "state": "issued",
}
_PROFILE = {"subject": _SUBJECT, "version": 3, "competencies": [_HELD], "badges": [_BADGE]}
_ASKED = {"scopes": ["profiles:read", "gap:read"], "reference": "candidate-1207"}
_GOWNING = {
    "competency": "A1",
    "label": "Gowning",
    "essential": True,
    "weight": 3.0,
    "required": 2,
    "level": 2,
    "result": "met",
    "shortfall": None,
    "validUntil": "2027-11-17",
}
_DOCUMENTATION = {
    "competency": "C2",
    "label": "Documentation",
    "essential": False,
    "weight": 1.0,
    "required": 1,
    "level": None,
    "result": "missing",
    "shortfall": None,
    "validUntil": None,
}
EXAMPLES: Mapping[str, dict[str, Any]] = {
    "Token": {
        "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "profiles:read gap:read",
    },
    "TokenProblem": {"error": "invalid_scope", "error_description": "this client has: profiles:read gap:read"},
    "Profile": _PROFILE,
    "Feed": {
        "profiles": [
            {
                "subject": _SUBJECT,
                "version": 3,
                "changed": "2026-11-18T15:04:11Z",
                "deleted": False,
                "etag": '"5b0f3a7c9d2e4f6180b1c2d3e4f50617"',
                "profile": _PROFILE,
            },
            {
                "subject": "0f6b7c2d9e8a41538cfa5d60b7e91c24",
                "version": 5,
                "changed": "2026-11-18T16:20:45Z",
                "deleted": True,
            },
        ],
        "cursor": "gAAAAABn…",
        "more": False,
    },
    "Gap": {
        "subject": _SUBJECT,
        "on": "2026-11-18",
        "inEffect": True,
        "role": {"id": "aseptic-operator", "label": "Aseptic operator"},
        "match": 75.0,
        "full": False,
        "essentials": {"required": 1, "met": 1, "match": 100.0},
        "requirements": [_GOWNING, _DOCUMENTATION],
    },
    "ConsentGivenEvent": {
        "type": "consent.given",
        "timestamp": "2026-11-18T15:03:58Z",
        "data": {
            "subject": _SUBJECT,
            "version": 1,
            **_ASKED,
            "purpose": "To find roles that fit you",
            "given": "2026-11-18T15:03:58Z",
            "expires": None,
        },
    },
    "ConsentWithdrawnEvent": {
        "type": "consent.withdrawn",
        "timestamp": "2026-12-02T09:11:30Z",
        "data": {"subject": _SUBJECT, "version": 6, **_ASKED},
    },
    "ProfileUpdated": {"type": "profile.updated", "timestamp": "2026-11-18T15:04:11Z", "data": _PROFILE},
    "BadgeEvent": {
        "type": "badge.issued",
        "timestamp": "2026-11-18T15:04:11Z",
        "data": {"subject": _SUBJECT, "version": 4, "badge": _BADGE},
    },
    "TestEvent": {
        "type": "service.test",
        "timestamp": "2026-11-18T15:00:00Z",
        "data": {"service": "career-converter", "message": "This is a test. It is about nobody; answer 2xx."},
    },
}
"""By the name of the shape in ``models``."""
