# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, certificates and password hashes: the only file that needs the package cryptography.

It is imported when something has to be made or checked, so that a check run on a new account
decides without it.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import ipaddress
import secrets
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from textwrap import shorten
from types import ModuleType
from typing import Any, Iterator

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.pem import END
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.certificate import (
    KEPT_DAYS,
    SKEW,
    Found,
    Wanted,
    address,
    is_kept,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.password import (
    COST,
    Cost,
    Hash,
)

OLDEST = 44  # the first with argon2id
SALT_BYTES = 16
DIGEST_BYTES = 32
_OTHER_OPENSSL = "Update it, and see whether OPENSSL_CONF or the FIPS mode of the host forbids it"


def new_key(key_type: str, key_size: int) -> bytes:
    """Make a private key, as PEM."""
    with _telling("make a key", _OTHER_OPENSSL):
        return _private_pem(_generated(key_type, key_size))


def new_certificate(key_pem: bytes, wanted: Wanted, owner: str, now: datetime) -> bytes:
    """Make a certificate for a server, as PEM; when wanted, with its authority's behind it."""
    x509 = _load("x509")
    with _telling("make a certificate", _OTHER_OPENSSL):
        key = _load("primitives.serialization").load_pem_private_key(key_pem, None)
        issuer = new_authority(wanted, now) if wanted.authority else Issuer(owner, key)
        more = _extensions(x509, key.public_key(), issuer.key.public_key(), wanted)
        signed = _signed(issuer, owner, key.public_key(), more, (now, wanted.days))
        return signed + issuer.certificate


@dataclass(frozen=True)
class Issuer:
    """Who signs a certificate: the server itself, or an authority."""

    name: str
    key: Any
    certificate: bytes = b""


def new_authority(wanted: Wanted, now: datetime) -> Issuer:
    """Make an authority for these names and no others.

    Its key is in nobody's file: it signs one certificate and is gone when this process ends.
    """
    x509, key = _load("x509"), _generated("ec", 256)
    name = f"notebook authority, {now:%Y-%m-%d %H:%M:%S}"  # browsers list them by name
    extensions = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.NameConstraints(_subtrees(x509, wanted.names), None), True),
        (_key_usage(x509, "key_cert_sign"), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    itself = Issuer(name, key)
    pem = _signed(itself, name, key.public_key(), extensions, (now, wanted.days))
    return Issuer(name, key, pem)


def kept_authority(wanted: Wanted, now: datetime) -> bytes:
    """Make one that signs every renewal, as PEM: its key and its certificate in one file."""
    made = new_authority(replace(wanted, days=KEPT_DAYS), now)
    return _private_pem(made.key) + made.certificate


def kept_issuer(pair_pem: bytes, wanted: Wanted, now: datetime) -> Issuer | str:
    """Who a kept file lets sign; or why another one is needed."""
    x509 = _load("x509")
    try:
        key = _load("primitives.serialization").load_pem_private_key(pair_pem, None)
        authority = x509.load_pem_x509_certificate(pair_pem)
        authority.verify_directly_issued_by(authority)
    except Exception:  # the library has many, and all of them mean this
        return "it cannot be read"
    if authority.public_key() != key.public_key():
        return "its key and its certificate do not belong together"
    if not authority.not_valid_before_utc - SKEW <= now:
        return "it is not valid yet"
    if authority.not_valid_after_utc < now + timedelta(days=wanted.days):
        return "it expires before what it would sign"
    wrong = _wrong_extension(x509, authority, wanted.names)
    return wrong or Issuer(_common_name(x509, authority), key, _pem(authority))


def authority_in(pair_pem: bytes) -> bytes:
    """The certificate in a kept file, as PEM; nothing when it cannot be read."""
    try:
        return _pem(_load("x509").load_pem_x509_certificate(pair_pem))
    except ValueError:
        return b""


def request(key_pem: bytes, owner: str) -> bytes:
    """What a node asks an authority to sign, as PEM: its public key, proved to be its own."""
    x509 = _load("x509")
    with _telling("make a request", _OTHER_OPENSSL):
        key = _load("primitives.serialization").load_pem_private_key(key_pem, None)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, owner)])
        builder = x509.CertificateSigningRequestBuilder(name)
        return _pem(builder.sign(key, _load("primitives.hashes").SHA256()))


def sign_request(signer: Issuer, request_pem: bytes, wanted: Wanted, now: datetime) -> bytes:
    """A certificate and its authority, as PEM. Only the public key is taken from the request."""
    x509, where = _load("x509"), "what the node wants to have signed"
    try:
        asked = x509.load_pem_x509_csr(request_pem)
        key, right = asked.public_key(), asked.is_signature_valid
    except Exception as error:
        raise NotebookError("cannot be read", where) from error
    if not right or (_kind(key), key.key_size) != (wanted.key_type, wanted.key_size):
        raise NotebookError("is not for a key of the kind that was asked for", where)
    more = _extensions(x509, key, signer.key.public_key(), wanted)
    return _signed(signer, "notebook server", key, more, (now, wanted.days)) + signer.certificate


def is_for(chain_pem: bytes, key_pem: bytes, issuer_pem: bytes) -> bool:
    """Whether a certificate is one for this key, and signed by this authority."""
    x509 = _load("x509")
    try:
        key = _load("primitives.serialization").load_pem_private_key(key_pem, None)
        server, authority = x509.load_pem_x509_certificates(chain_pem)
        server.verify_directly_issued_by(authority)
    except Exception:  # the library has many, and all of them mean no
        return False
    return server.public_key() == key.public_key() and _pem(authority) == issuer_pem


def signed_by(certificate_pem: bytes, issuer_pem: bytes) -> bool:
    """Whether this authority signed this certificate."""
    x509 = _load("x509")
    try:
        signer = x509.load_pem_x509_certificate(issuer_pem)
        x509.load_pem_x509_certificate(certificate_pem).verify_directly_issued_by(signer)
    except Exception:  # the library has many, and all of them mean no
        return False
    return True


def print_of(certificate_pem: bytes) -> str:
    """The SHA-256 of the first certificate, as browsers show it."""
    return _fingerprint(_load("x509").load_pem_x509_certificate(certificate_pem))


def authority_of(certificate_pem: bytes) -> bytes:
    """The certificate of the authority, which stands behind that of the server; or nothing."""
    return certificate_pem.partition(f"{END}\n".encode())[2]


def trusted_authority(chain_pem: bytes, names: frozenset[str], now: datetime) -> bytes:
    """The authority of a certificate that a host has sent, as PEM, when a browser may trust it.

    Who runs the host may send any authority, and whoever imports it trusts that one for all that
    it does not renounce. So nothing counts but what is asked for here, and what is returned is
    rewritten from what was checked.
    """
    x509 = _load("x509")
    try:
        server, authority = x509.load_pem_x509_certificates(chain_pem)
        reason = _why_not_trusted(x509, server, authority, (names, now))
    except Exception as error:  # the library has many, and all of them mean this
        reason = f"it cannot be read ({shorten(str(error), 100, placeholder=' …')})"
    if reason:
        todo = "Do not trust it; ask the site, and let setup make another one"
        raise NotebookError(f"is not what was asked for: {reason}", "the authority", todo)
    return _pem(authority)


def _why_not_trusted(
    x509: Any, server: Any, authority: Any, asked: tuple[frozenset[str], datetime]
) -> str:
    names, now = asked
    wrong = _wrong_extension(x509, authority, names) or _why_not_now(authority, now)
    return wrong or _why_not_signed(x509, server, authority, names)


def _wrong_extension(x509: Any, authority: Any, names: frozenset[str]) -> str:
    """The first thing about an authority that is otherwise than new_authority makes it."""
    wanted = [
        (x509.BasicConstraints(ca=True, path_length=0), True, "it is no authority of one level"),
        (
            x509.NameConstraints(_subtrees(x509, names), None),
            True,
            "it is not constrained to the names of the notebook",
        ),
        (_key_usage(x509, "key_cert_sign"), True, "its key is for more than certificates"),
        (
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]),
            False,
            "it is for more than web servers",
        ),
        (
            x509.SubjectKeyIdentifier.from_public_key(authority.public_key()),
            False,
            "its key has another name",
        ),
    ]
    for value, critical, reason in wanted:
        if x509.Extension(value.oid, critical, value) not in list(authority.extensions):
            return reason
    if len(list(authority.extensions)) != len(wanted):
        return "it has further extensions"
    return ""


def _why_not_now(authority: Any, now: datetime) -> str:
    begin, end = authority.not_valid_before_utc, authority.not_valid_after_utc
    if not begin - SKEW <= now < end:
        return f"it is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, which is not now"
    return "it is valid for too long" if is_kept(begin, end) else ""


def _why_not_signed(x509: Any, server: Any, authority: Any, names: frozenset[str]) -> str:
    try:
        authority.verify_directly_issued_by(authority)
        server.verify_directly_issued_by(authority)
    except Exception:
        return "it did not sign itself and the certificate of the notebook"
    if _names(x509, server) != names or not _for_server(x509, server):
        return "the certificate that it signed is not that of the notebook"
    return ""


def inspect(key_pem: bytes, certificate_pem: bytes) -> Found | str:
    """Describe a pair, or say what cannot be read."""
    x509 = _load("x509")
    try:
        key = _load("primitives.serialization").load_pem_private_key(key_pem, None)
    except Exception:  # the library has many, and all of them mean this
        return "the key is unreadable"
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        found = _described(x509, key, certificate)
        return _with_authority(x509, found, certificate, authority_of(certificate_pem))
    except Exception:
        return "the certificate is unreadable"


def hash_password(password: str, cost: Cost = COST) -> str:
    """Hash a password with a new salt, as Jupyter reads it."""
    salt = secrets.token_bytes(SALT_BYTES)
    return str(Hash(cost, salt, _argon2id(password, salt, DIGEST_BYTES, cost)))


def verify_password(hashed: Hash, password: str) -> bool:
    """Whether this is the password that was hashed."""
    digest = _argon2id(password, hashed.salt, len(hashed.digest), hashed.cost)
    return hmac.compare_digest(digest, hashed.digest)


def _load(name: str) -> Any:
    """Import a part of the library, or say in one line what is missing."""
    where = f"cryptography of {sys.executable}"
    todo = f"Add cryptography>={OLDEST} to the packages of that installation"
    try:
        library = importlib.import_module("cryptography")
        _refuse_old(library, where, todo)
        prefix = "cryptography" if name == "x509" else "cryptography.hazmat"
        return importlib.import_module(f"{prefix}.{name}")
    except ImportError as error:
        raise NotebookError(f"cannot be imported ({error})", where, todo) from error


def _refuse_old(library: ModuleType, where: str, todo: str) -> None:
    if int(str(library.__version__).split(".", 1)[0]) < OLDEST:
        raise NotebookError(f"is too old ({library.__version__})", where, todo)


def _generated(key_type: str, key_size: int) -> Any:
    if key_type == "rsa":
        return _load("primitives.asymmetric.rsa").generate_private_key(65537, key_size)
    ec = _load("primitives.asymmetric.ec")
    return ec.generate_private_key({256: ec.SECP256R1(), 384: ec.SECP384R1()}[key_size])


def _signed(
    issuer: Issuer,
    owner: str,
    public_key: Any,
    extensions: list[tuple[Any, bool]],
    validity: tuple[datetime, int],
) -> bytes:
    """Make a certificate for a public key, as PEM."""
    x509, (now, days) = _load("x509"), validity
    subject, signer = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        for name in (owner, issuer.name)
    )
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder(signer, subject, public_key, serial)
    builder = builder.not_valid_before(now - SKEW).not_valid_after(now + timedelta(days=days))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return _pem(builder.sign(issuer.key, _load("primitives.hashes").SHA256()))


def _pem(made: Any) -> bytes:
    """A certificate or a request, as it is written to a file."""
    return bytes(made.public_bytes(_load("primitives.serialization").Encoding.PEM))


def _private_pem(key: Any) -> bytes:
    """The same for a key, which only its file protects."""
    serialization = _load("primitives.serialization")
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(*form, serialization.NoEncryption()))


def _common_name(x509: Any, certificate: Any) -> str:
    [name] = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def _extensions(x509: Any, public_key: Any, signer: Any, wanted: Wanted) -> list[tuple[Any, bool]]:
    """Say that this is a server, that it is no authority, and what it is called."""
    key_id, signer_id = (
        x509.SubjectKeyIdentifier.from_public_key(key) for key in (public_key, signer)
    )
    usage = ["digital_signature", *(["key_encipherment"] if wanted.key_type == "rsa" else [])]
    return [
        (x509.SubjectAlternativeName([_name(x509, n) for n in sorted(wanted.names)]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(x509, *usage), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (key_id, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer_id), False),
    ]


def _subtrees(x509: Any, names: frozenset[str]) -> list[Any]:
    """These names and addresses, and nothing else of either kind."""
    return [_subtree(x509, name) for name in sorted(names)]


def _subtree(x509: Any, typed: str) -> Any:
    kind, _colon, name = typed.partition(":")
    return x509.IPAddress(ipaddress.ip_network(name)) if kind == "IP" else x509.DNSName(name)


def _with_authority(x509: Any, found: Found, certificate: Any, issuer_pem: bytes) -> Found:
    """The same, with what is known of whoever signed it, unless it did so itself."""
    if not issuer_pem:
        return found
    signer = x509.load_pem_x509_certificate(issuer_pem)
    return replace(
        found,
        authority=_vouches(x509, signer, certificate),
        issuer=issuer_pem.decode(),
        kept=is_kept(signer.not_valid_before_utc, signer.not_valid_after_utc),
    )


def _vouches(x509: Any, signer: Any, certificate: Any) -> bool:
    """Whether this authority signed it and may sign nothing else."""
    constraints = _extension(signer, x509.NameConstraints)
    try:
        certificate.verify_directly_issued_by(signer)
    except Exception:  # the library has many, and all of them mean no
        return False
    return constraints is not None and bool(constraints.permitted_subtrees)


def _name(x509: Any, typed: str) -> Any:
    kind, _colon, name = typed.partition(":")
    return x509.IPAddress(address(name)) if kind == "IP" else x509.DNSName(name)


def _key_usage(x509: Any, *used: str) -> Any:
    """What a key is for, and nothing else."""
    known = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in used for name in known.split()})


def _described(x509: Any, key: Any, certificate: Any) -> Found:
    return Found(
        key_type=_kind(key),
        key_size=getattr(key, "key_size", 0),
        names=_names(x509, certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_matches=certificate.public_key() == key.public_key(),
        for_server=_for_server(x509, certificate),
        fingerprint=_fingerprint(certificate),
        digest=getattr(certificate.signature_hash_algorithm, "name", ""),
    )


def _kind(key: Any) -> str:
    ec = _load("primitives.asymmetric.ec")
    rsa = _load("primitives.asymmetric.rsa")
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return "ec" if key.curve.name in ("secp256r1", "secp384r1") else str(key.curve.name)
    kinds = (rsa.RSAPrivateKey, rsa.RSAPublicKey)
    return "rsa" if isinstance(key, kinds) else type(key).__name__


def _names(x509: Any, certificate: Any) -> frozenset[str]:
    found = _extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return frozenset()
    domains = (f"DNS:{name.lower()}" for name in found.get_values_for_type(x509.DNSName))
    addresses = (f"IP:{name}" for name in found.get_values_for_type(x509.IPAddress))
    return frozenset((*domains, *addresses))


def _for_server(x509: Any, certificate: Any) -> bool:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    constraints = _extension(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    return usage is not None and x509.ExtendedKeyUsageOID.SERVER_AUTH in usage and not authority


def _extension(certificate: Any, kind: Any) -> Any:
    return next((e.value for e in certificate.extensions if isinstance(e.value, kind)), None)


def _fingerprint(certificate: Any) -> str:
    """Give the SHA-256 as browsers show it."""
    encoding = _load("primitives.serialization").Encoding.DER
    digest = hashlib.sha256(certificate.public_bytes(encoding)).digest()
    return ":".join(f"{octet:02X}" for octet in digest)


def _argon2id(password: str, salt: bytes, length: int, cost: Cost) -> bytes:
    argon2 = _load("primitives.kdf.argon2")
    todo = "Update it; in FIPS mode, set nbserver_profile_password_hash (docs/security.md)"
    with _telling("compute argon2id", todo):
        function = argon2.Argon2id(
            salt=salt,
            length=length,
            iterations=cost.passes,
            lanes=cost.lanes,
            memory_cost=cost.memory,
        )
        return bytes(function.derive(password.encode()))


@contextmanager
def _telling(doing: str, todo: str) -> Iterator[None]:
    """What the library cannot do, in one line. It has many errors, some of many lines."""
    try:
        yield
    except NotebookError:
        raise
    except Exception as error:  # too little memory, or an OpenSSL that is not allowed to
        said = shorten(str(error), 200, placeholder=" …")
        where = f"cryptography of {sys.executable}"
        raise NotebookError(f"cannot {doing} ({said})", where, todo) from error
