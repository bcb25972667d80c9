"""Keys, certificates and signatures as signers of statements make them; nothing of the product is used."""

import base64
import datetime as dt
import json
from functools import cache
from inspect import unwrap

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

DAY = dt.datetime(2026, 11, 18, tzinfo=dt.UTC)
AT = int(DAY.timestamp()) * 1_000_000
HASHES = {"RS256": hashes.SHA256, "RS384": hashes.SHA384, "RS512": hashes.SHA512}


@cache
def rsa_key(name, bits=2_048):  # noqa: ARG001 (each name has a key of its own)
    return unwrap(rsa.generate_private_key)(65_537, bits)  # not one of the few that tests share


@cache
def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(name, key, issuer=None, issuer_key=None, *, ca=False, days=(-1, 365)):
    """A certificate for *key*; issued by itself unless *issuer* and *issuer_key* are given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer_key or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY + dt.timedelta(days=days[0]))
        .not_valid_after(DAY + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ca:
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def x5c(*certificates):
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]


def sign(payload, key, *, alg="RS256", **header):
    """*payload* (JSON-able, or bytes) as a JWS in compact form."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = b64url(json.dumps({"alg": alg, **header}).encode()) + b"." + b64url(text)
    algorithm = HASHES.get(str(alg), hashes.SHA256)()
    return signed + b"." + b64url(key.sign(signed, padding.PKCS1v15(), algorithm))
