"""Servers whose certificate nobody vouches for are not talked to."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.models.endpoint.litellm_setup import connections
from geppetto.models.gate import RequestGate
from geppetto.models.requests import Completion
from scripted import endpoint, questions, request


def certified(folder: Path) -> ssl.SSLContext:
    """A server's certificate, by nobody but itself; its file is FOLDER/certificate.pem."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def ask(base: str, provider: str) -> Completion:
    (question,) = questions(1).values()

    async def talk() -> Completion:
        async with connections():
            model = endpoint(base, f"{provider}/scripted")
            return await model.generate(request(question), RequestGate())

    return asyncio.run(talk())


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
def test_a_certificate_is_trusted_only_if_its_authority_is_named(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none-needed")
    script = Script()
    with served(script, certified(tmp_path)) as base:
        with pytest.raises(GeppettoError, match="certificate is not trusted"):
            ask(base, provider)
        assert not script.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert ask(base, provider).text
