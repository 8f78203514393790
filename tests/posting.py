"""A sender that takes next to no time of its own, so that a measurement is of the intake."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Connection:
    """One HTTP/1.1 connection that is kept; use as a context. OSError or EOFError says that it broke."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
        return cls(reader, writer, parts.netloc)

    async def post(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        """POST to /v1/events; status and body of the answer."""
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {media_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, rest = answer.partition("content-length:")
        length = int(rest.partition("\r\n")[0])
        return int(answer.split(" ", 2)[1]), await self._reader.readexactly(length)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Give the connection up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def post_all(
    url: str, bodies: Sequence[bytes], media_type: str, connections: int, seconds: list[float]
) -> None:
    """POST every body, each connection the next one that nobody has taken; each must be answered 202.

    Args:
        url: Of the intake.
        bodies: What is sent.
        media_type: Of all of them.
        connections: How many are used at a time.
        seconds: Gets the time that each answer took.
    """
    left = iter(bodies)
    loop = asyncio.get_running_loop()

    async def work() -> None:
        async with await Connection.open(url) as connection:
            for body in left:
                started = loop.time()
                status, answer = await connection.post(body, media_type)
                seconds.append(loop.time() - started)
                if status != 202:
                    raise ValueError(f"answered {status}: {answer[:500]!r}")

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())
