"""The one error of the native stack."""


class NativeError(Exception):
    """The stack cannot do what was asked; the message says what is wrong and what to do."""
