"""One server on two hosts, and a platform that launches courses there."""

import pytest

from tests.adapters.lms.launched import PlatformClient
from tests.served import serving


@pytest.fixture(scope="session")
def lms(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("lms"), content_url="http://localhost:8080") as served:
        yield served


@pytest.fixture(scope="session")
def platform(lms):
    return PlatformClient(lms)
