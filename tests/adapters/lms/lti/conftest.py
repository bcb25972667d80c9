"""The application over one tenant, and a platform of LTI 1.3 that answers on a free port."""

from __future__ import annotations

import pytest

from tests.adapters.lms.lti.platform import Platform, World


@pytest.fixture(scope="module")
def platform():
    made = Platform()
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory, platform):
    made = World(tmp_path_factory.mktemp("lti"), platform)
    yield made
    made.close()
