"""Badges into wallets: VC-API exchanges and OpenID4VCI, over one record of what is handed over (``exchanges``)."""
