"""Kafka's users and ACLs, brought to what schemas/rights/kafka.yaml says, by the cluster's administrator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import SecurityDisabledError

from schemas.rights import KafkaRights, kafka_rights
from streams.domain.errors import ConfigurationError
from streams.kafka_servers import KafkaServers, Servers
from streams.stores.broker import errors_translated

_OPERATIONS: Final = {
    "Create": ACLOperation.CREATE,
    "Describe": ACLOperation.DESCRIBE,
    "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": ACLOperation.ALTER_CONFIGS,
    "Read": ACLOperation.READ,
    "Write": ACLOperation.WRITE,
}


@dataclass(frozen=True, slots=True)
class KafkaChanges:
    """What was done: users whose password was set, ACLs added, ACLs taken away."""

    users: list[str]
    added: int
    removed: int


def wanted_acls(rights: KafkaRights, prefix: str = "") -> set[ACL]:
    """The ACLs of the matrix, for topics and groups under a prefix."""
    return {
        ACL(
            f"User:{name}",
            "*",
            _OPERATIONS[operation],
            ACLPermissionType.ALLOW,
            ResourcePattern(kind, prefix + resource),
        )
        for name, user in rights.users.items()
        for kind, resources in ((ResourceType.TOPIC, user.topics), (ResourceType.GROUP, user.groups))
        for resource, operations in resources.items()
        for operation in operations
    }


def apply_rights(servers: Servers, passwords: Mapping[str, str], prefix: str = "") -> KafkaChanges:
    """Give users their passwords, and let exactly the matrix be what our users may do.

    ACLs of users that the matrix does not name stay as they are.

    Args:
        servers: With the administrator's login.
        passwords: User → password; users without one keep theirs.
        prefix: Of topics and groups.

    Raises:
        DependencyDown: Kafka does not answer.
        ConfigurationError: it has no authorizer, or a password is for no user of the matrix.
    """
    rights = kafka_rights()
    if unknown := sorted(passwords.keys() - rights.users.keys()):
        raise ConfigurationError(f"{unknown[0]} is no user of schemas/rights/kafka.yaml.")
    wanted = wanted_acls(rights, prefix)
    with errors_translated():
        admin = KafkaAdminClient(**KafkaServers.of(servers).client_options(), bootstrap_timeout_ms=10_000)
        try:
            # Asked for first: a cluster without an authorizer must not be half done.
            there = acls_of_ours(admin, rights)
            if passwords:
                faults = admin.alter_user_scram_credentials(
                    [
                        UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)
                        for user, password in passwords.items()
                    ]
                )
                if failed := {user: fault for user, fault in faults.items() if fault}:
                    raise ConfigurationError(f"Kafka refuses passwords: {failed}")
            added, removed = wanted - there, there - wanted
            if added:
                failures = admin.create_acls(list(added))["failed"]
                if failures:
                    raise ConfigurationError(f"Kafka refuses ACLs: {failures[0].__name__}")
            if removed:
                admin.delete_acls(list(removed))
            return KafkaChanges(sorted(passwords), len(added), len(removed))
        except SecurityDisabledError as error:
            raise ConfigurationError(
                "This Kafka has no authorizer: everybody who reaches it may do everything. Set "
                "authorizer.class.name (docs/security/rights.md)."
            ) from error
        finally:
            admin.close()


def acls_of_ours(admin: KafkaAdminClient, rights: KafkaRights) -> set[ACL]:
    """What the users of the matrix may do now, as the broker that is asked knows."""
    everything = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    ours = {f"User:{name}" for name in rights.users}
    found, _ = admin.describe_acls(everything)
    return {acl for acl in found if acl.principal in ours}
