"""Signing in at an organisation's own provider (OpenID Connect Core 1.0, authorization code flow with PKCE).

``providers`` are what the tenant has set up, ``documents`` what a provider says of itself, ``id_token`` checks what it
says of somebody, ``flow`` is the way there and back, ``accounts`` says who that is here.
"""
