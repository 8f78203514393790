"""The canary: an event that passes every step and never moves a count.

It is a retraction of a case that nobody has reported, and only a report reinstates a case: so it is
validated, journaled and folded like any other event, and adds nothing to any count, in any order.
"""

from typing import Final

PREFIX: Final = "canary/"
"""Subjects that begin so are reserved: they are left out where events and cases are numbered."""


def is_canary(subject: str) -> bool:
    """Whether a subject is one of the canary's.

    >>> is_canary("canary/3"), is_canary("LC-2023-000123")
    (True, False)
    """
    return subject.startswith(PREFIX)
