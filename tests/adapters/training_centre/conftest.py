import pytest

from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.adapters.training_centre.made import NINE, Centre


@pytest.fixture
def tenant(tmp_path):
    now = [NINE]
    opened = open_tenant(Settings(data=tmp_path / "store"), clock=lambda: now[0])
    opened.seen.now = now
    yield opened
    opened.store.close()


@pytest.fixture
def centre(tenant):
    return Centre(tenant, tenant.seen.now)
