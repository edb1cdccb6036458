"""Who may see and do what: signed tokens, sessions, and proof that a request comes from the page itself."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeTimedSerializer

from transforms.errors import ConfigError
from transforms.loopback import is_loopback as is_loopback

_SECRET_BYTES = 32
_SALT = "catalog-canvas-review"


class User(NamedTuple):
    """Whoever asks.

    Attributes:
        name: what decisions are attributed to.
        advertiser: whose rows may be seen; None for ads ops, who see all.
    """

    name: str
    advertiser: str | None

    def may_see(self, advertiser: str) -> bool:
        """Whether an advertiser's rows are this user's."""
        return self.advertiser is None or self.advertiser == advertiser

    @property
    def role(self) -> str:
        """`ads ops` or `advertiser`."""
        return "ads ops" if self.advertiser is None else "advertiser"


@dataclass(frozen=True)
class Tokens:
    """Signs and reads tokens; who holds one needs no password, and it says whose rows it opens."""

    secret: bytes

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=_SALT, signer_kwargs={"digest_method": sha256})

    def issue(self, user: User, days: float) -> str:
        """A token for `user`, good for `days`."""
        found = self._signer.dumps({"n": user.name, "a": user.advertiser, "d": days})
        return found if isinstance(found, str) else found.decode()

    def read(self, token: str) -> User | None:
        """The user that a token names; None where it is forged, damaged or over its time."""
        try:
            value, issued = self._signer.loads(token, return_timestamp=True)
            self._signer.loads(token, max_age=int(float(value["d"]) * 86400))
            name, advertiser = value["n"], value["a"]
        except (BadSignature, KeyError, TypeError, ValueError, OverflowError):
            return None
        del issued
        return User(str(name), None if advertiser is None else str(advertiser))

    def csrf(self, session: str, run: str) -> str:
        """What a page of `session` about `run` sends along with a decision; another site cannot know it.

        Items have the same names every night: a page that is open since the last run must not decide on this one's.
        """
        return hmac.new(self.secret, f"csrf:{session}\n{run}".encode(), sha256).hexdigest()

    def is_csrf(self, given: str, session: str, run: str) -> bool:
        """Whether `given` belongs to `session` and `run`."""
        return bool(session) and hmac.compare_digest(given.encode(), self.csrf(session, run).encode())


def load_secret(path: Path) -> bytes:
    """The secret in `path`; made on first use, readable by its owner alone.

    Raises:
        ConfigError: it cannot be read or made, others can read it, or it is too short.
    """
    remedy = "name a file in a folder of your own, or set its mode to 0600"
    try:
        if not path.exists():
            _make_secret(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others can read {path}", remedy=remedy)
        secret = path.read_text().strip().encode()
    except OSError as error:
        raise ConfigError(f"{path} (--secret) {error.strerror}", remedy=remedy) from error
    if len(secret) < _SECRET_BYTES:
        raise ConfigError(
            f"{path} (--secret) has fewer than {_SECRET_BYTES} characters", remedy="delete it to make a new one"
        )
    return secret


def _make_secret(path: Path) -> None:
    """Whole or not at all: whoever starts `serve` and `token` at once gets one secret, and nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        made.touch(mode=0o600, exist_ok=False)
        made.write_text(secrets.token_hex(_SECRET_BYTES))
        _place(made, path)
    finally:
        made.unlink(missing_ok=True)


def _place(made: Path, path: Path) -> None:
    try:
        path.hardlink_to(made)
    except FileExistsError:
        pass  # another one was faster, and its secret counts
    except OSError:
        made.replace(path)  # a file system without links


def host_of(header: str) -> str:
    """The host of a `Host` header, without its port.

    >>> host_of("127.0.0.1:8080"), host_of("[::1]:80"), host_of("shop.example")
    ('127.0.0.1', '::1', 'shop.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header
