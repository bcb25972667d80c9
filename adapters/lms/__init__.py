"""Learning management: courses that learners are launched into from an LMS, and what an LMS asks of them.

How it fits together:

- ``structure`` is the shape of a course, of any format; ``packages`` opens archives; ``importing`` makes versions.
- ``courses`` keeps courses and their versions. A further format (Tin Can, SCORM) is a reader beside
  ``cmi5/course_xml.py`` that gives a ``Structure``, and its name in ``courses.CourseFormat``.
- ``lti`` is the tool by which platforms such as Moodle show this product inside their courses (LTI 1.3).
"""
