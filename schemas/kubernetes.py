"""`python -m schemas.kubernetes`: the topics and users as Strimzi's resources, in deploy/kubernetes/base."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from schemas.rights import kafka_rights
from schemas.topics import load_topics

BASE = Path(__file__).parents[1] / "deploy" / "kubernetes" / "base"
CLUSTER = "canhdich"
"""Name of the Kafka cluster in deploy/kubernetes/base/kafka.yaml."""

_HEAD = "# Made by `python -m schemas.kubernetes` from {source}; do not edit by hand.\n"


def topics() -> list[dict[str, Any]]:
    """One KafkaTopic per file of schemas/topics, as on a cluster."""
    return [
        _resource(
            "KafkaTopic",
            topic.name,
            {
                "partitions": topic.partitions,
                "replicas": topic.replication["cluster"],
                "config": dict(topic.settings["cluster"]),
            },
        )
        for topic in load_topics().values()
    ]


def users() -> list[dict[str, Any]]:
    """One KafkaUser per user of schemas/rights/kafka.yaml, with its operations and no others."""
    found = []
    for name, user in kafka_rights().users.items():
        acls = [_acl("topic", topic, operations) for topic, operations in user.topics.items()]
        acls += [_acl("group", group, operations) for group, operations in user.groups.items()]
        spec = {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": acls},
        }
        found.append(_resource("KafkaUser", name, spec))
    return found


def _acl(kind: str, name: str, operations: Sequence[str]) -> dict[str, Any]:
    resource = {"type": kind, "name": name, "patternType": "literal"}
    return {"resource": resource, "operations": list(operations)}


def _resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": spec,
    }


def files() -> dict[Path, str]:
    """What stands in each file."""
    made = {
        BASE / "topics.yaml": ("schemas/topics", topics()),
        BASE / "users.yaml": ("schemas/rights/kafka.yaml", users()),
    }
    return {
        path: _HEAD.format(source=source) + yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        for path, (source, documents) in made.items()
    }


def main() -> int:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
