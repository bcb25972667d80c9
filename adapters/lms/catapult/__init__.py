"""The REST surface of ADL's CATAPULT player, over the same courses, registrations and launches.

So its LMS test suite and ADL's activity for Moodle run against this server as they are.
"""
