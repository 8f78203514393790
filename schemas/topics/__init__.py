"""The topics: what stands in each, how it is kept, who writes and who reads, from the YAML beside this."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from schemas.events import EVENT_TYPES
from schemas.topics.payloads import ALERT, COUNT_CHANGE, DEAD_LETTER_HEADERS

ValueKind = Literal["event", "count_change", "alert", "dead_letter"]
VALUE_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {"count_change": COUNT_CHANGE, "alert": ALERT}

_DIRECTORY = Path(__file__).parent
_DEAD_LETTER_HEADERS = frozenset(DEAD_LETTER_HEADERS.json_schema()["properties"])


class TopicError(ValueError):
    """A topic file is wrong: correct the file that the message names."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: As Kafka knows it.
        description: What stands in it.
        owner: Who answers for its content.
        key: What the key is.
        value: What kind of value its records have.
        events: The event types allowed in it; empty where the value is no event.
        headers: Names of the headers that every record has.
        producers: Packages that may write to it; nobody else may.
        consumers: Packages that read it.
        retention: How long records are kept, and why.
        partitions: How many; never changed, more partitions mean a new topic.
        replication: Copies of each record, on one node and on a cluster.
        settings: Kafka's topic configuration, on one node and on a cluster.
    """

    name: str
    description: str
    owner: str
    key: str
    value: ValueKind
    events: tuple[str, ...]
    headers: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention: str
    partitions: int
    replication: Mapping[Literal["one_node", "cluster"], int]
    settings: Mapping[Literal["one_node", "cluster"], Mapping[str, str]]


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Sentence = Annotated[str, Field(min_length=10)]
_Package = Annotated[str, Field(pattern=r"^[a-z]+/[a-z]+$")]


class _Config(_File):
    """The settings of Kafka that these topics use; others are refused as spelling mistakes."""

    cleanup_policy: Literal["delete"] | None = Field(None, alias="cleanup.policy")
    retention_ms: Annotated[int, Field(ge=-1)] | None = Field(None, alias="retention.ms")
    timestamp_type: Literal["LogAppendTime"] | None = Field(None, alias="message.timestamp.type")
    unclean: Literal[False] | None = Field(None, alias="unclean.leader.election.enable")
    min_insync: Annotated[int, Field(ge=1, le=3)] | None = Field(None, alias="min.insync.replicas")
    flush: Annotated[int, Field(ge=1)] | None = Field(None, alias="flush.messages")

    def settings(self) -> dict[str, str]:
        """As Kafka wants them: everything is text."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.model_dump(by_alias=True, exclude_none=True).items()
        }


class _Placement(_File):
    replication: Annotated[int, Field(ge=1, le=5)]
    config: _Config

    @model_validator(mode="after")
    def _can_be_written(self) -> "_Placement":
        if self.config.min_insync is None or self.config.min_insync > self.replication:
            raise ValueError("min.insync.replicas must be given and not exceed replication")
        return self


class _TopicFile(_File):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", max_length=63)]
    description: _Sentence
    owner: _Sentence
    key: _Sentence
    value: ValueKind
    events: list[str] = []
    headers: list[str] = []
    producers: Annotated[list[_Package], Field(min_length=1)]
    consumers: Annotated[list[_Package], Field(min_length=1)]
    retention: _Sentence
    partitions: Annotated[int, Field(ge=1, le=256)]
    config: _Config
    one_node: _Placement
    cluster: _Placement

    @model_validator(mode="after")
    def _fits_its_value(self) -> "_TopicFile":
        unknown = sorted(set(self.events) - EVENT_TYPES)
        if unknown:
            raise ValueError(f"events: unknown type {unknown[0]}; known are {', '.join(sorted(EVENT_TYPES))}")
        if (self.value == "event") != bool(self.events):
            raise ValueError("events: to be given when value is event, and only then")
        if (self.value == "dead_letter") != bool(self.headers) or not set(
            self.headers
        ) <= _DEAD_LETTER_HEADERS:
            raise ValueError("headers: to be given for dead letters only, from their schema")
        if self.config.cleanup_policy is None or self.config.timestamp_type is None:
            raise ValueError("config: cleanup.policy and message.timestamp.type must be given")
        if self.value == "event" and self.config.retention_ms != -1:
            raise ValueError("config: retention.ms must be -1, events are kept for ever")
        if self.value == "event" and self.one_node.config.flush != 1:
            raise ValueError("one_node: flush.messages must be 1, a power cut must not lose an event")
        if self.cluster.replication < 3:
            raise ValueError("cluster: replication must be at least 3")
        return self


def load_topics(directory: Path | None = None) -> dict[str, Topic]:
    """Read the topic files.

    Args:
        directory: Where `<name>.yaml` files stand; None means those of this package.

    Returns:
        Topic by name, in the order of the names.

    Raises:
        TopicError: naming the file, the entry and the fault.
    """
    topics: dict[str, Topic] = {}
    for path in sorted((directory or _DIRECTORY).glob("*.yaml")):
        try:
            entry = _TopicFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except yaml.YAMLError as error:
            raise TopicError(f"{path.name}: not YAML: {error}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "the file"
            raise TopicError(f"{path.name}: {where}: {first['msg']}") from error
        if entry.name != path.stem:
            raise TopicError(f"{path.name}: name: is {entry.name}, must be the file's, {path.stem}")
        common = entry.config.settings()
        topics[entry.name] = Topic(
            name=entry.name,
            description=entry.description,
            owner=entry.owner,
            key=entry.key,
            value=entry.value,
            events=tuple(entry.events),
            headers=tuple(entry.headers),
            producers=tuple(entry.producers),
            consumers=tuple(entry.consumers),
            retention=entry.retention,
            partitions=entry.partitions,
            replication={"one_node": entry.one_node.replication, "cluster": entry.cluster.replication},
            settings={
                "one_node": common | entry.one_node.config.settings(),
                "cluster": common | entry.cluster.config.settings(),
            },
        )
    if not topics:
        raise TopicError(
            f"{directory or _DIRECTORY}: no topic files; are the package's data files installed?"
        )
    return topics
