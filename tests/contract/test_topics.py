"""The topics: files load, say what the design says, and each rule of the loader rejects a bad file."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.partitioner import murmur2 as reference_murmur2
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas.topics import TopicError, load_topics
from schemas.topics.partitioner import murmur2, partition_for

DIRECTORY = Path(schemas.__file__).parent / "topics"
# From the tests of Kafka's Java client (UtilsTest.testMurmur2), as signed numbers.
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def test_the_topics_of_the_design_are_there() -> None:
    topics = load_topics()
    assert list(topics) == [
        "alerts",
        "case-events",
        "count-changes",
        "dead-letters",
        "focus-events",
        "tally-events",
    ]
    assert topics["case-events"].partitions == 12
    assert topics["dead-letters"].headers == ("error", "error-detail", "topic", "partition", "offset")


def test_every_file_is_a_topic_and_every_topic_has_examples() -> None:
    topics = load_topics()
    assert {path.stem for path in DIRECTORY.glob("*.y*ml")} == topics.keys()
    assert {path.name for path in (DIRECTORY / "examples").iterdir()} == topics.keys()
    for name in topics:
        assert list((DIRECTORY / "examples" / name).glob("*.json"))
        assert list((DIRECTORY / "examples" / name / "invalid").glob("*.json"))


def test_no_event_can_be_lost_by_its_topics_settings() -> None:
    for topic in load_topics().values():
        one_node, cluster = topic.settings["one_node"], topic.settings["cluster"]
        assert one_node["message.timestamp.type"] == cluster["message.timestamp.type"] == "LogAppendTime"
        assert one_node["cleanup.policy"] == cluster["cleanup.policy"] == "delete"
        assert one_node["flush.messages"] == "1"
        assert "flush.messages" not in cluster
        assert (topic.replication["one_node"], one_node["min.insync.replicas"]) == (1, "1")
        assert (topic.replication["cluster"], cluster["min.insync.replicas"]) == (3, "2")
        assert cluster["unclean.leader.election.enable"] == "false"
        if topic.value == "event":
            assert one_node["retention.ms"] == cluster["retention.ms"] == "-1"


def broken(tmp_path: Path, **changes: Any) -> Path:
    """A directory with case-events.yaml, some entries replaced (dots lead inwards, None takes away)."""
    content = yaml.safe_load((DIRECTORY / "case-events.yaml").read_text(encoding="utf-8"))
    for place, value in changes.items():
        target = content
        *outer, last = place.split("__")
        for step in outer:
            target = target[step]
        last = last.replace("_of_", ".")
        if value is None:
            del target[last]
        else:
            target[last] = value
    (tmp_path / "case-events.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def test_the_unbroken_file_loads(tmp_path: Path) -> None:
    assert load_topics(broken(tmp_path))["case-events"] == load_topics()["case-events"]


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"name": "case-event"}, "name"),
        ({"name": "case.events"}, "name"),
        ({"partitions": 0}, "partitions"),
        ({"partitions": "12"}, "partitions"),
        ({"partitions": None}, "partitions"),
        ({"owner": None}, "owner"),
        ({"description": ""}, "description"),
        ({"key": None}, "key"),
        ({"retention": None}, "retention"),
        ({"producers": []}, "producers"),
        ({"consumers": ["anybody"]}, "consumers"),
        ({"surprise": 1}, "surprise"),
        ({"value": "text"}, "value"),
        ({"value": "alert"}, "events"),
        ({"events": []}, "events"),
        ({"events": ["vn.canhdich.case.deleted.v1"]}, "events"),
        ({"headers": ["error"]}, "headers"),
        ({"config__cleanup_of_policy": "compact"}, "config"),
        ({"config__cleanup_of_policy": None}, "config"),
        ({"config__message_of_timestamp_of_type": "CreateTime"}, "config"),
        ({"config__message_of_timestamp_of_type": None}, "config"),
        ({"config__retention_of_ms": 604800000}, "config"),
        ({"config__retention_of_ms": None}, "config"),
        ({"config__unclean_of_leader_of_election_of_enable": True}, "config"),
        ({"config__retention_of_hours": 1}, "config"),
        ({"one_node__config__flush_of_messages": None}, "one_node"),
        ({"one_node__config__min_of_insync_of_replicas": None}, "one_node"),
        ({"one_node__config__min_of_insync_of_replicas": 2}, "one_node"),
        ({"cluster__replication": 2}, "cluster"),
    ],
)
def test_a_bad_file_is_refused_by_file_and_entry(tmp_path: Path, changes: dict[str, Any], entry: str) -> None:
    with pytest.raises(TopicError, match=rf"^case-events\.yaml: .*{entry}"):
        load_topics(broken(tmp_path, **changes))


def test_a_file_that_is_no_yaml_or_no_topic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case-events.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(TopicError, match=r"^case-events\.yaml: not YAML"):
        load_topics(tmp_path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(TopicError, match=r"^case-events\.yaml: the file"):
        load_topics(tmp_path)


def test_a_directory_without_topics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match="no topic files"):
        load_topics(tmp_path)


@pytest.mark.parametrize(("key", "hashed"), JAVA_VECTORS.items())
def test_murmur2_is_the_java_clients(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % 2**32
    assert partition_for(key, 12) == (hashed & 0x7FFFFFFF) % 12


@given(st.binary(max_size=100), st.integers(1, 256))
def test_murmur2_is_aiokafkas(key: bytes, partitions: int) -> None:
    assert murmur2(key) == reference_murmur2(key)
    assert partition_for(key, partitions) == (reference_murmur2(key) & 0x7FFFFFFF) % partitions


def test_another_hash_would_be_noticed() -> None:
    assert murmur2(b"21") != murmur2(b"12")
    assert len({partition_for(f"LC-2023-{number:06d}".encode(), 12) for number in range(1000)}) == 12
