"""Learning management: courses that learners are launched into from an LMS, and what an LMS asks of them.

How it fits together:

- ``structure`` is the shape of a course, of any format; ``packages`` opens archives; ``importing`` makes versions.
- ``courses`` keeps courses and their versions. ``cmi5/course_xml.py``, ``tincan/tincan_xml.py`` and
  ``scorm/manifest.py`` each read a format and give a ``Structure``.
- ``tincan/rules`` judges the statements of Tin Can content; ``scorm/attempts`` makes statements and State of what SCORM
  content commits, and ``scorm/routes`` is its player.
- ``lti`` is the tool by which platforms such as Moodle show this product inside their courses (LTI 1.3).
- ``cmi5/session`` has the two records of learning: a *registration* (one learner in one version of a course) and a
  *launch session* (one launch of one unit in it). ``cmi5/rules`` judges statements, purely; ``cmi5/acts`` enrols,
  waives and abandons; ``cmi5/taking`` stores statements and what follows from them in one commit.
- ``cmi5/endpoint`` is the xAPI endpoint of launched content: the resources that everybody has, narrowed to a session.
- ``catapult/clients`` are programs of LMSs that launch courses; ``catapult`` has the addresses that they use.
- ``pages`` are the pages of courses: packages, versions, rows for rules, the report.
- ``content`` serves files of packages, ``fetching`` gives content its token.

To launch from elsewhere, such as LTI, no HTTP is needed::

    place = LmsPlace(tenant, subscriptions, root)             # root: https://lrs.example/t/<tenant>
    course = courses.course_in(tenant.store, id)
    known = latest_registration(tenant.store, course.id, actor)
    enrolled = known or tenant.store.write(lambda tx: acts.enrol_in(tx, place, course, actor, id=…, session=…)).result()
    launched = launching.launch(place, LaunchOrder(enrolled.id, index, return_url=…))
    redirect(launched.url)                                    # launched.method says in which window

``actor`` is what ``acts.checked_actor`` gives: an Agent with an account, such as the platform's issuer and the
learner's ``sub``. ``enrol_in`` and ``launch_in`` are decisions, so a launch can share its commit with what else it
writes. How far a learner is stands in ``Registration.units`` and ``Registration.satisfied``: what a grade is made of.
"""
