"""Courses and packages that tests make."""

import io
import zipfile

from adapters.lms.importing import import_course

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
COURSE = "https://publisher.example/course"
BLOCK = "https://publisher.example/block"
UNIT = "https://publisher.example/au"


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
