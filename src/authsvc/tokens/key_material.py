"""Make signing keys, and keep their private part encrypted under the server's secret."""

from base64 import urlsafe_b64encode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from authsvc.server_keys import ServerKeys

RSA_BITS = 3072
_LEAST_RSA_BITS = 2048  # RFC 7518 §3.3


class Misfit(Exception):
    """A stored key is not what it is said to be; the text says how."""


class KeyMaterial:
    """Makes, encrypts and decrypts private keys (PEM, PKCS #8)."""

    def __init__(self, server_keys: ServerKeys) -> None:
        boxes = [Fernet(urlsafe_b64encode(key.encryption_key)) for key in server_keys.all]
        self._first, self._box = boxes[0], MultiFernet(boxes)

    def new_pair(self, algorithm: str) -> tuple[str, str]:
        """Return a new key: its public PEM and its encrypted private PEM."""
        private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        else:
            private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return public_pem.decode(), self.encrypt(private_pem.decode())

    def encrypt(self, private_pem: str) -> str:
        """Return the private PEM encrypted under the first secret."""
        return self._box.encrypt(private_pem.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Return the private PEM.

        Raises:
            cryptography.fernet.InvalidToken: no secret in force encrypted it.
        """
        return self._box.decrypt(encrypted).decode()

    def needs_older_secret(self, encrypted: str) -> bool:
        """Whether the first secret alone does not decrypt it."""
        try:
            self._first.decrypt(encrypted)
        except InvalidToken:
            return True
        return False

    def reencrypt(self, encrypted: str) -> str:
        """Return the same private PEM encrypted under the first secret; raises as `decrypt`."""
        return self._box.rotate(encrypted).decode()


def refuse_misfit(algorithm: str, *, public_pem: str, private_pem: str | None) -> None:
    """Refuse a key that is not of its algorithm's kind; the library that signs takes any curve for any.

    Raises:
        Misfit: the key must not be used.
    """
    try:
        public = load_pem_public_key(public_pem.encode())
        private = None if private_pem is None else load_pem_private_key(private_pem.encode(), password=None)
    except (ValueError, UnsupportedAlgorithm):
        raise Misfit("it cannot be read") from None
    match algorithm, public:
        case "ES256", ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            pass
        case "RS256", rsa.RSAPublicKey(key_size=bits) if bits >= _LEAST_RSA_BITS:
            pass
        case _:
            raise Misfit(f"it is no key for {algorithm}")
    if private is not None and private.public_key() != public:
        raise Misfit("its private part belongs to another key")
