"""cmi5 (AICC/cmi5_Spec_Current, Quartz 1st edition): course structures, registrations, launches, sessions.

Rules are pure and cite requirement ids, as npm's ``@cmi5/requirements`` numbers them.
"""
