"""Signatures of plans: who may not know the key cannot make a plan to be followed.

The digest of a plan tells damage; anyone can work it out anew. The signature is an
HMAC-SHA256 over it under a key that only the planner and its executors have.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outputs.errors import PlanSignatureError
from outputs.plan import PlanMeta
from outputs.plan_digest import canonical_json

KEY_VARIABLE = "PLANNER_SIGNING_KEY"
FILE_VARIABLE = "PLANNER_SIGNING_KEY_FILE"
SHORTEST_KEY = 16
"""Fewer bytes could be guessed. [bytes]"""

_ALGORITHM = "hmac-sha256"
_MOST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret under which plans are signed."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Name of the key, which tells nothing of the secret."""
        return hmac.digest(self.secret, b"planner key id", "sha256").hex()[:16]

    def sign(self, digest: str) -> str:
        """Signature of a plan's digest: algorithm, key id and HMAC, with colons."""
        said = {"algorithm": _ALGORITHM, "digest": digest, "key": self.id}
        text = b"planner plan signature\n" + canonical_json(said)
        code = hmac.digest(self.secret, text, "sha256").hex()
        return f"{_ALGORITHM}:{self.id}:{code}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys of a site: the first signs, each of them verifies.

    Parameters
    ----------
    keys
        None at all where plans are not signed; then signatures are not looked at.
    """

    keys: tuple[SigningKey, ...] = ()

    def sign(self, digest: str) -> str | None:
        """Signature under the first key; None where plans are not signed."""
        return self.keys[0].sign(digest) if self.keys else None

    def require(self, meta: PlanMeta) -> None:
        """Refuse a plan that none of the keys has signed, in constant time.

        Raises
        ------
        PlanSignatureError
            If there are keys and the plan is unsigned, or signed otherwise.
        """
        if not self.keys:
            return
        if meta.signature is None:
            raise PlanSignatureError(
                f"plan {meta.plan_id} is not signed, but a signing key is set; it "
                "is not followed. Solve again with the key"
            )
        found = meta.signature.encode("utf-8", "replace")
        signed = [
            hmac.compare_digest(found, key.sign(meta.digest or "").encode())
            for key in self.keys
        ]
        if not any(signed):
            raise PlanSignatureError(
                f"the signature of plan {meta.plan_id} is not of key "
                f"{' or '.join(key.id for key in self.keys)}; it was changed, or made "
                "elsewhere, and is not followed"
            )


def key_ring(environment: Mapping[str, str]) -> KeyRing:
    """The keys that the environment names; none if it names none.

    ``PLANNER_SIGNING_KEY`` is one key; ``PLANNER_SIGNING_KEY_FILE`` names a file with
    one key a line. A new key is put before the old one, which stays until the last
    plan under it is over.

    Raises
    ------
    PlanSignatureError
        If a key is too short, both are set, or the file cannot be read.
    """
    text, file = environment.get(KEY_VARIABLE), environment.get(FILE_VARIABLE)
    if text is not None and file is not None:
        raise PlanSignatureError(f"set {KEY_VARIABLE} or {FILE_VARIABLE}, not both")
    if text is not None:
        return KeyRing((_key(text.encode(), KEY_VARIABLE),))
    if file is None:
        return KeyRing()
    lines = [line.strip() for line in _content(Path(file)).splitlines()]
    keys = tuple(_key(line, file) for line in lines if line)
    if not keys:
        raise PlanSignatureError(f"{file} holds no key, expected one a line")
    return KeyRing(keys)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PlanSignatureError(
            f"{path}: the signing key cannot be read: {error.strerror}"
        ) from error
    if len(content) > _MOST_BYTES:
        raise PlanSignatureError(f"{path}: too large for a file of keys")
    return content


def _key(secret: bytes, where: str) -> SigningKey:
    secret = secret.strip()
    if len(secret) < SHORTEST_KEY:
        raise PlanSignatureError(
            f"{where}: a signing key of {len(secret)} bytes, expected {SHORTEST_KEY} "
            "or more; openssl rand -hex 32 makes one"
        )
    return SigningKey(secret)
