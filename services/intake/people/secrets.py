"""Random tokens, and the hashes under which they are stored."""

import hashlib
import hmac
import secrets
from typing import Final

KEY_PREFIX: Final = "cd_"
"""So that a key that was pasted somewhere is found by a search."""

_WORD: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that can be taken for something else on paper."""


def new_token() -> str:
    """256 random bits as text for a cookie or a key."""
    return secrets.token_urlsafe(32)


def new_one_time_password() -> str:
    """A password to be read aloud or from paper and changed at once: 16 of 31 letters, 79 bits.

    >>> len(new_one_time_password())
    19
    """
    return "-".join("".join(secrets.choice(_WORD) for _ in range(4)) for _ in range(4))


def hash_of(token: str) -> bytes:
    """What of a random token is stored. A token of so many random bits needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """What the forms of a visit carry: follows from its cookie, and says nothing about it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_of(token: str, sent: str) -> bool:
    """Whether a form's field belongs to a visit's cookie, in constant time."""
    return hmac.compare_digest(csrf_of(token).encode(), sent.encode())
