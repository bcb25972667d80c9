"""Whether a badge has the structure of 1EdTech's JSON schema, if it says that it has.

The schema is in the package, with its hash. Source: 1EdTech Open Badges 3.0, "1EdTechJsonSchemaValidator2019".
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badges.proofs.graph import check_json
from badges.verifying.verdict import Invalid, Passed
from lrs.kernel.errors import Misconfigured
from lrs.kernel.plain_text import one_line
from lrs.kernel.strict_json import JsonView

KIND = "1EdTechJsonSchemaValidator2019"
FILE = Path(__file__).parent / "schemas" / "ob_v3p0_achievementcredential.json"
SHA256 = "0ebdc36b2a975b93d6d3531ae6cdb7b234bf01ef6a51cd174cdab54eca3a1a14"
_NAME = "ob_v3p0_achievementcredential_schema.json"
MOST_ENTRIES = 4


def check_schema(credential: JsonView) -> Passed:
    """Checks *credential* against each schema that it names and that is known.

    Raises ``Invalid``, and ``Unsafe`` for what is too large to be looked at.
    """
    check_json(credential)
    named = credential.get("credentialSchema")
    listed = named if isinstance(named, list) else [named]
    known = [one for one in listed[:MOST_ENTRIES] if isinstance(one, Mapping) and _is_known(one)]
    if not known:
        return Passed("the schema that it names is not known here, and was not looked at", "schema_not_checked")
    fault = next(_validator().iter_errors(dict(credential)), None)
    if fault is not None:
        place = "/".join(str(part) for part in fault.absolute_path) or "the badge"
        raise Invalid(f"{one_line(place)[:100]} is not as the schema of Open Badges 3.0 has it", "schema_broken")
    return Passed("as the schema of Open Badges 3.0 has it")


def _is_known(schema: Mapping[str, Any]) -> bool:
    address = schema.get("id")
    site = "https://purl.imsglobal.org/spec/ob/v3p0/schema/"
    return schema.get("type") == KIND and isinstance(address, str) and address.startswith(site) and _NAME in address


@functools.cache
def _validator() -> Any:
    import jsonschema  # noqa: PLC0415 (it takes long to load, and few badges name a schema)

    content = FILE.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise Misconfigured(f"badges/verifying/schemas/{FILE.name} is not the published file; install the package anew")
    return jsonschema.Draft201909Validator(json.loads(content))
