"""Files of a backup, encrypted on their way to the disk by the program of who will read them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, cast

from streams.domain.errors import ConfigurationError, RefusedAction

Encryption = Literal["age", "gpg"]


def encryption_for(recipient: str) -> Encryption:
    """The program for a recipient: an age key begins with `age1`, all else is a key of GnuPG's.

    Raises:
        ConfigurationError: the program is not on this machine.
    """
    program: Encryption = "age" if recipient.startswith("age1") else "gpg"
    if shutil.which(program) is None:
        raise ConfigurationError(
            f"{program} is not on this machine: install it (apt-get install "
            f"{'age' if program == 'age' else 'gnupg'}), or leave --recipient out."
        )
    return program


@contextmanager
def written(path: Path, recipient: str | None) -> Iterator[IO[bytes]]:
    """A new file to write to, readable by its owner alone; encrypted for a recipient.

    Raises:
        RefusedAction: the program that encrypts fails.
    """
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        if recipient is None:
            yield file
            return
        program = encryption_for(recipient)
        argv = {
            "age": ["age", "--encrypt", "--recipient", recipient],
            "gpg": ["gpg", "--batch", "--trust-model", "always", "--compress-algo", "none",
                    "--encrypt", "--recipient", recipient],
        }[program]  # fmt: skip
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.PIPE) as process:
            entrance = cast("IO[bytes]", process.stdin)
            # What the program says of it follows.
            with suppress(BrokenPipeError):
                yield entrance
            _, said = process.communicate()
        if process.returncode:
            raise RefusedAction(f"{program} does not encrypt for {recipient}: {said.decode().strip()}")


@contextmanager
def opened(path: Path, encrypted_by: Encryption | None, identity: Path | None) -> Iterator[IO[bytes]]:
    """A file to read from, decrypted.

    Args:
        path: The file.
        encrypted_by: The program.
        identity: File of the secret key, for age; gpg finds its own.

    Raises:
        ConfigurationError: the key is missing.
        RefusedAction: the program that decrypts fails.
    """
    with path.open("rb") as file:
        if encrypted_by is None:
            yield file
            return
        if encrypted_by == "age" and identity is None:
            raise ConfigurationError("The backup is encrypted by age: give the file of its key (--identity).")
        argv = {
            "age": ["age", "--decrypt", "--identity", str(identity)],
            "gpg": ["gpg", "--batch", "--decrypt"],
        }[encrypted_by]
        with subprocess.Popen(argv, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            yield cast("IO[bytes]", process.stdout)
            _, said = process.communicate()
        if process.returncode:
            raise RefusedAction(f"{encrypted_by} does not decrypt {path.name}: {said.decode().strip()}")
