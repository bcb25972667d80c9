"""The IRIs and names of cmi5 (sections 9, 10 and 11)."""

from __future__ import annotations

from typing import Literal

LaunchMode = Literal["Normal", "Browse", "Review"]
_ADL, _TLA = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/adl/verbs/"
LAUNCHED, INITIALIZED, TERMINATED = f"{_ADL}launched", f"{_ADL}initialized", f"{_ADL}terminated"
COMPLETED, PASSED, FAILED = f"{_ADL}completed", f"{_ADL}passed", f"{_ADL}failed"
ABANDONED, WAIVED, SATISFIED = f"{_TLA}abandoned", f"{_TLA}waived", f"{_TLA}satisfied"
VOIDED = f"{_ADL}voided"
OF_UNITS = frozenset({INITIALIZED, TERMINATED, COMPLETED, PASSED, FAILED})
"""The verbs of statements that a unit may mark as defined by cmi5; the others are the LMS's."""
JUDGING = frozenset({COMPLETED, PASSED, FAILED})
"""Verbs that say how somebody did."""

CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON = "https://w3id.org/xapi/cmi5/context/categories/moveon"
_EXTENSIONS = "https://w3id.org/xapi/cmi5/context/extensions"
SESSION_ID, MASTERY_SCORE = f"{_EXTENSIONS}/sessionid", f"{_EXTENSIONS}/masteryscore"
LAUNCH_MODE, LAUNCH_URL = f"{_EXTENSIONS}/launchmode", f"{_EXTENSIONS}/launchurl"
MOVE_ON_RULE, LAUNCH_PARAMETERS = f"{_EXTENSIONS}/moveon", f"{_EXTENSIONS}/launchparameters"
REASON = "https://w3id.org/xapi/cmi5/result/extensions/reason"
BLOCK_TYPE = "https://w3id.org/xapi/cmi5/activitytype/block"
COURSE_TYPE = "https://w3id.org/xapi/cmi5/activitytype/course"

LAUNCH_DATA = "LMS.LaunchData"
"""The State document that the LMS writes for a launch."""
PREFERENCES = "cmi5LearnerPreferences"
"""The Agent Profile document with a learner's preferences."""
