"""A sample programme, made up by this project: fed through the real doors, and told step by step.

Online courses, a two-day practical with gowning, an apprenticeship standard, two roles, a dozen learners who do not
exist, and a matching service in a process of its own. Knows the product only from outside: its command line and its
HTTP doors.
"""
