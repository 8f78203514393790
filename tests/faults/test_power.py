"""A power cut: what the operating system had not written is gone.

A library loaded into the broker (unsynced.c) notes how long each file was when it was last made safe. After
the kill every log is cut to that length, as if the machine had been switched off before it wrote the rest.
Only what is appended is dropped so; the disk's own cache is not, nor are sectors torn.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from deploy.native import kafka
from deploy.native.layout import Layout, layout
from schemas.topics import load_topics
from streams.domain.positions import TOPIC
from streams.stores.broker import end_offsets
from tests.integration.rights.test_kafka_rights import free_ports

pytestmark = pytest.mark.native

RECORDS = 40
SETTINGS = load_topics()[TOPIC].settings["one_node"]
TRUSTING = {name: value for name, value in SETTINGS.items() if name != "flush.messages"}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Layout, Path]]:
    """An instance whose Java notes what is safe, and where it notes it."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not on this machine")
    home = Path(tempfile.mkdtemp(prefix="canhdich-power-"))
    library, book = home / "unsynced.so", home / "synced"
    source = Path(__file__).with_name("unsynced.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    real = shutil.which(kafka.java())
    (home / "java" / "bin").mkdir(parents=True)
    wrapper = home / "java" / "bin" / "java"
    wrapper.write_text(f'#!/bin/sh\nSYNCED_BOOK={book} LD_PRELOAD={library} exec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home / "java"))
    instance = Layout(home / "instance", layout().cache)
    instance.home.mkdir()
    try:
        yield instance, book
    finally:
        kafka.kill(instance)
        shutil.rmtree(home)


def cut_power(instance: Layout, book: Path) -> int:
    """Kill the broker and drop what was not made safe; how many bytes."""
    assert kafka.kill(instance)
    safe: dict[str, int] = {}
    for line in book.read_text().splitlines():
        size, _, path = line.partition(" ")
        safe[path] = int(size)
    dropped = 0
    for log in (instance.kafka / "data").rglob("*.log"):
        kept = min(safe.get(str(log), 0), log.stat().st_size)
        dropped += log.stat().st_size - kept
        with log.open("r+b") as file:
            file.truncate(kept)
    return dropped


def test_what_was_acknowledged_survives_a_power_cut(watched: tuple[Layout, Path]) -> None:
    instance, book = watched
    ports = free_ports()
    bootstrap = f"127.0.0.1:{ports['kafka']}"
    kafka.start(instance, ports)
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        for name, settings in (("flushed", SETTINGS), ("trusting", TRUSTING)):
            admin.create_topics([NewTopic(name, 1, 1, topic_configs=dict(settings))], wait_for_metadata=True)
    with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all")) as producer:
        for n in range(RECORDS):
            for name in ("flushed", "trusting"):
                producer.send(name, b"%d" % n).get(30)

    assert cut_power(instance, book) > 0
    kafka.start(instance, ports)

    assert end_offsets(bootstrap, "flushed") == {0: RECORDS}
    # The same cut takes from a topic that trusts the operating system: the cut is one.
    assert end_offsets(bootstrap, "trusting")[0] < RECORDS
