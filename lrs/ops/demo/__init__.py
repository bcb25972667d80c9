"""The demonstration: a sample programme made up by this project, run through the product's own interfaces.

It has online courses, a two-day practical with gowning, an apprenticeship standard, two roles, a dozen learners who do
not exist, and a matching service in a process of its own. It uses the product only from outside: by commands and HTTP.
"""
