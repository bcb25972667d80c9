"""Courses and packages that tests make."""

import io
import zipfile

from adapters.lms.courses.in_use import CATALOGUE, OPEN, switch_in
from adapters.lms.importing import import_course

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
COURSE = "https://publisher.example/course"
BLOCK = "https://publisher.example/block"
UNIT = "https://publisher.example/au"

TIN_CAN = b"""<?xml version="1.0" encoding="utf-8"?>
<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>
<activity id="https://publisher.example/tincan" type="http://adlnet.gov/expapi/activities/course">
<name lang="en">Gowns</name><description lang="en">How to put one on</description><launch lang="en">index.html</launch>
</activity></activities></tincan>"""
MANIFEST = b"""<?xml version="1.0"?>
<manifest identifier="com.example.gowns" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
 xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
<metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
<organizations default="o"><organization identifier="o"><title>Gowns</title>
<item identifier="i1" identifierref="r1"><title>Putting on a gown</title>
<adlcp:masteryscore>80</adlcp:masteryscore><adlcp:datafromlms>room=2</adlcp:datafromlms></item>
</organization></organizations>
<resources><resource identifier="r1" type="webcontent" adlcp:scormtype="sco" href="index.html">
<file href="index.html"/></resource></resources></manifest>"""


def texts(title):
    return (
        f'<title><langstring lang="en"> {title} </langstring></title>'
        f'<description><langstring lang="en">{title}</langstring></description>'
    )


def unit(id=UNIT, url="index.html", *, title="Unit", within="", after="", **attributes):
    """The element of a unit; *within* stands before its address, *after* behind it."""
    told = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<au id="{id}"{told}>{texts(title)}{within}<url>{url}</url>{after}</au>'


def block(*parts, id=BLOCK):
    return f'<block id="{id}">{texts("Block")}{"".join(parts)}</block>'


def structure(*parts, id=COURSE, before="", head="", title="Course"):
    """A course structure of *parts*; *head* stands before its root, *before* between the course and the parts."""
    parts = parts or (unit(),)
    body = f'<course id="{id}">{texts(title)}</course>{before}{"".join(parts)}'
    return f'<?xml version="1.0"?>{head}<courseStructure xmlns="{NAMESPACE}">{body}</courseStructure>'.encode()


def package(text=None, files=None):
    """A zip package with *text* as its structure, and *files*."""
    held = {"cmi5.xml": structure() if text is None else text, "index.html": b"<html>unit</html>", **(files or {})}
    return zipped({name: content for name, content in held.items() if content is not None})


def zipped(held):
    """A zip archive; *held* has contents by names, or by ``ZipInfo``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return out.getvalue()


def imported(tenant, content, name="course.zip", client=""):
    return import_course(tenant, io.BytesIO(content), name, "test", client)


def shown_in_catalogue(tenant, course):
    """*course*, which everybody sees in the catalogue from now on."""
    return tenant.store.write(lambda tx: switch_in(tx, course.id, CATALOGUE, "test", on=True)).result()


def open_to_learners(tenant, course):
    """*course*, which learners who are signed in open by themselves from now on."""
    return tenant.store.write(lambda tx: switch_in(tx, course.id, OPEN, "test", on=True)).result()
