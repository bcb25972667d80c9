"""The command ``lrs badges claim``: a link for a learner whom no message reaches. Prints; decides nothing."""

from __future__ import annotations

import click

from badges.claims import claims
from badges.credentials.records import ISSUED
from lrs.access.staff_acts import link_to
from lrs.kernel.errors import Refused
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant


@click.command("claim")
@click.argument("badge", metavar="ID")
@with_tenant
def claim_command(tenant: Tenant, badge: str) -> None:
    """Make a link by which its holder gets a badge; whoever has the link may accept it, once."""

    def decide(tx: Tx) -> claims.NewClaim:
        held = tx.get("credential", badge)
        if held is None or held.meta["state"] != ISSUED:
            raise Refused(f"there is no valid badge {badge}: lrs badges list shows them", status=404, error="not_found")
        audit.append(tx, BY_COMMAND, "badge.link_made", {"badge": badge})
        return claims.make(tx, tenant, held)

    made = tenant.store.write(decide).result()
    link = link_to(pages_address(tenant.settings, tenant.id), claims.PLACE, made.token)
    until = timestamp_of_micros(made.expires)
    click.echo(f"{link}\ngood until {until[:10]}, for one browser; a link that was made before works no more")
