"""The installation itself, in the shape of a tenant: what its operators have is kept as that of a tenant's staff is.

Its store is the control store, its secrets are derived from a root key of its own there. So accounts, sessions, links
and the record of actions of operators are the same code as those of an organisation, and nothing of any organisation.
No work is owed in it, and no mail is sent from it.
"""

from __future__ import annotations

from lrs.kernel.settings import Settings
from lrs.tenancy import master_key, root_keys
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import CONTROL, Tenant, read_master_key


def installation(control: Control, settings: Settings) -> Tenant:
    """The installation of the open *control* store, which gets a root key at the first call.

    Raises ``Misconfigured``.
    """
    path = master_key.path_of(settings)
    secrets = root_keys.claim_new(control.store, CONTROL, read_master_key(settings), path)
    control.store.use_secret(secrets.secret("audit"))
    return Tenant(CONTROL, control.store, settings, secrets, control.clock)
