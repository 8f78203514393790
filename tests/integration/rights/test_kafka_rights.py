"""A Kafka of its own with logins and ACLs: every user tries to write and to read every topic."""

import asyncio
import secrets
import shutil
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from pydantic import SecretStr

from deploy.native import kafka
from deploy.native.layout import Layout, layout
from schemas.rights import kafka_rights
from schemas.topics import load_topics
from services.settings import Settings
from streams.domain.errors import CanhDichError, ConfigurationError
from streams.domain.positions import TOPIC, Touched
from streams.kafka_servers import KafkaServers
from streams.stores.broker import KafkaAnnouncements, Producer, create_topics, end_offsets
from streams.stores.database import connect
from streams.stores.kafka_rights import KafkaChanges, acls_of_ours, apply_rights, wanted_acls
from streams.stores.rights import grant_rights
from streams.stores.views import set_password
from tests.builders import event
from tests.integration.rights.test_database_rights import PASSWORD, login
from tests.integration.streams.conftest import Worker, until

pytestmark = pytest.mark.native

USERS = tuple(kafka_rights().users)
TOPICS = tuple(load_topics())
IN_ORDER = KafkaChanges([], 0, 0)


def free_ports() -> dict[str, int]:
    """Two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return {"kafka": one.getsockname()[1], "kafka_controller": other.getsockname()[1]}


@pytest.fixture(scope="module")
def administrator() -> Iterator[KafkaServers]:
    """A broker with logins, its topics and rights as `canhdich rights apply --kafka` makes them."""
    home = Path(tempfile.mkdtemp(prefix="canhdich-rights-"))
    instance = Layout(home, layout().cache)
    password = secrets.token_urlsafe(18)
    ports = free_ports()
    try:
        kafka.start(instance, ports, password)
        admin = KafkaServers(f"127.0.0.1:{ports['kafka']}", "SASL_PLAINTEXT", kafka.ADMIN, password)
        create_topics(admin, load_topics().values())
        done = apply_rights(admin, dict.fromkeys(USERS, PASSWORD))
        assert done.users == sorted(USERS)
        until(lambda: apply_rights(admin, {}) == IN_ORDER, "the broker does not learn of its rights")
        yield admin
    finally:
        kafka.kill(instance)
        shutil.rmtree(home)


def servers_of(administrator: KafkaServers, user: str) -> KafkaServers:
    return replace(administrator, user=user, password=PASSWORD)


def may_write(producer: KafkaProducer, topic: str) -> bool:
    try:
        producer.send(topic, b"x", b"x").get(10)
    except TopicAuthorizationFailedError:
        return False
    return True


def may_read(consumer: KafkaConsumer, topic: str) -> bool:
    """Whether a record that stands there is given."""
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    try:
        for _ in range(20):
            if consumer.poll(timeout_ms=500):
                return True
    except TopicAuthorizationFailedError:
        return False
    raise AssertionError(f"{topic} gave neither a record nor a refusal")


@pytest.fixture(scope="module")
def filled(administrator: KafkaServers) -> None:
    """A record in the first partition of every topic."""
    with closing(KafkaProducer(**administrator.client_options(), acks="all")) as producer:
        for topic in TOPICS:
            producer.send(topic, b"{}", partition=0).get(10)


@pytest.mark.parametrize("user", USERS)
def test_a_user_may_do_what_the_matrix_says_and_nothing_else(
    user: str, administrator: KafkaServers, filled: None
) -> None:
    allowed = kafka_rights().users[user].topics
    options = servers_of(administrator, user).client_options()
    with closing(KafkaAdminClient(**options)) as admin:
        # What it may not even describe it can neither write nor read: those rights imply this one.
        known = sorted(admin.list_topics())
    assert set(known) == allowed.keys()
    with closing(KafkaProducer(**options, acks="all", enable_idempotence=False)) as producer:
        written = {topic for topic in known if may_write(producer, topic)}
    with closing(KafkaConsumer(**options, auto_offset_reset="earliest", group_id=None)) as consumer:
        read = {topic for topic in known if may_read(consumer, topic)}
    assert written == {topic for topic, operations in allowed.items() if "Write" in operations}
    assert read == {topic for topic, operations in allowed.items() if "Read" in operations}


def test_nobody_joins_the_workers_group_but_workers(administrator: KafkaServers) -> None:
    options = servers_of(administrator, "canhdich-backup").client_options()
    with (
        closing(KafkaConsumer(TOPIC, **options, group_id="fold-cases")) as consumer,
        pytest.raises(GroupAuthorizationFailedError),
    ):
        consumer.poll(timeout_ms=10_000)


def test_nobody_makes_topics_but_migrations(administrator: KafkaServers) -> None:
    for user in ("canhdich-intake", "canhdich-worker", "canhdich-operator"):
        with pytest.raises((CanhDichError, KafkaError)):
            create_topics(servers_of(administrator, user), load_topics().values(), "other-")
    assert create_topics(servers_of(administrator, "canhdich-migrate"), load_topics().values()) == []


@pytest.mark.parametrize(
    "servers",
    [
        lambda admin: KafkaServers(admin.bootstrap),
        lambda admin: replace(admin, password="guessed"),  # noqa: S106 - a wrong one
    ],
    ids=["no login", "a wrong password"],
)
def test_who_has_no_login_is_not_let_in(
    servers: Callable[[KafkaServers], KafkaServers], administrator: KafkaServers
) -> None:
    # The client tries until its time is up; every other test shows that a login is enough.
    with pytest.raises(KafkaError):
        KafkaAdminClient(**servers(administrator).client_options(), bootstrap_timeout_ms=1_000)


def test_rights_that_were_added_by_hand_are_taken_back(administrator: KafkaServers) -> None:
    by_hand = ACL(
        "User:canhdich-watcher",
        "*",
        ACLOperation.WRITE,
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType.TOPIC, TOPIC),
    )
    rights = kafka_rights()
    taken = {acl for acl in wanted_acls(rights) if acl.principal == "User:canhdich-backup"}
    with closing(KafkaAdminClient(**administrator.client_options())) as admin:
        admin.create_acls([by_hand])
        admin.delete_acls(list(taken))
        changed = wanted_acls(rights) - taken | {by_hand}
        until(lambda: acls_of_ours(admin, rights) == changed, "the broker does not learn of the change")
    assert apply_rights(administrator, {}) == KafkaChanges([], len(taken), 1)
    until(lambda: apply_rights(administrator, {}) == IN_ORDER, "the broker does not learn of the rights")
    with pytest.raises(ConfigurationError, match="somebody is no user"):
        apply_rights(administrator, {"somebody": "x"})


def test_a_kafka_without_an_authorizer_says_so(kafka_bootstrap: str) -> None:
    with pytest.raises(ConfigurationError, match="has no authorizer"):
        apply_rights(kafka_bootstrap, {})


def test_a_worker_with_its_own_logins_folds_and_announces(
    administrator: KafkaServers, settings_for: object, fresh_database_url: str, tmp_path: Path
) -> None:
    """Faust, aiokafka and kafka-python with SASL; the database with the worker's role."""
    assert callable(settings_for)
    with connect(fresh_database_url) as owner:
        grant_rights(owner)
        set_password(owner, "canhdich_worker", PASSWORD)
        settings: Settings = settings_for(login(fresh_database_url, "canhdich_worker"), "")
        settings = settings.model_copy(
            update={
                "kafka_bootstrap": administrator.bootstrap,
                "kafka_protocol": "SASL_PLAINTEXT",
                "kafka_user": "canhdich-worker",
                "kafka_password": SecretStr(PASSWORD),
            }
        )
        before = sum(end_offsets(administrator, "count-changes").values())
        worker = Worker(settings, tmp_path / "worker.log")
        try:
            with closing(Producer(servers_of(administrator, "canhdich-intake"))) as producer:
                producer.send(TOPIC, b"LC-1", event("LC-1", 1)).get(10)

            def is_counted() -> bool:
                assert worker.is_running, worker.log
                row = owner.execute("select count(*) from cases").fetchone()
                return row == (1,) and sum(end_offsets(administrator, "count-changes").values()) > before

            until(is_counted, "the event is not counted and announced")
        finally:
            worker.kill()


def test_the_watchers_login_announces_by_aiokafka_alone(administrator: KafkaServers) -> None:
    """A user that may not write to a topic is refused by aiokafka's client, too."""

    async def publish(user: str) -> None:
        announcements = KafkaAnnouncements(servers_of(administrator, user))
        try:
            await announcements.publish([Touched("dengue", "03412@start")])
        finally:
            await announcements.close()

    asyncio.run(publish("canhdich-worker"))
    with pytest.raises(CanhDichError, match="TopicAuthorizationFailed"):
        asyncio.run(publish("canhdich-intake"))


def test_tls_checks_names_and_certificates(tmp_path: Path) -> None:
    context = KafkaServers("broker:9093", "SASL_SSL", "user", "secret").ssl_context()
    assert context is not None
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert KafkaServers("broker:9092").ssl_context() is None
    with pytest.raises(OSError, match="No such file"):
        KafkaServers("broker:9093", "SSL", ca_file=tmp_path / "none.pem").ssl_context()
