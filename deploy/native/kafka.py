"""Apache Kafka: one node that is broker and controller (KRaft), on this machine only."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import struct
import uuid
from collections.abc import Callable
from pathlib import Path

from deploy.native.accounts import caller
from deploy.native.commands import fresh_part, run
from deploy.native.errors import NativeError
from deploy.native.layout import Layout
from deploy.native.ports import HOST
from deploy.native.processes import (
    Process,
    keep_previous,
    kill_server,
    read_pid_file,
    start_server,
    stop_server,
    wait_until_healthy,
)
from deploy.native.progress import Progress

NAME = "Kafka"
ADMIN = "admin"
"""The super user of a broker with logins."""
MECHANISM = "SCRAM-SHA-512"
PORTS = ("kafka", "kafka_controller")
POM = Path(__file__).with_name("pom.xml")
LOG4J = Path(__file__).with_name("log4j2.properties")
# Long, as a broker that was killed reads its logs over first.
START_SECONDS = 300
STOP_SECONDS = 30

# The heap is bounded for small machines: the broker keeps little in it, records live in the page cache.
# Serial collection starts fastest and needs the least memory; with so little alive, its pauses are short.
JVM_OPTIONS = (
    "-Xms256m",
    "-Xmx768m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
)


def java() -> str:
    """Find the Java program: of JAVA_HOME where that is set, else the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def pom_version() -> str:
    """Read from pom.xml the version of Kafka that is fetched."""
    return POM.read_text().split("<kafka.version>", 1)[1].split("</", 1)[0]


def libraries(layout: Layout) -> Path:
    """Find the folder of Kafka's jars: of KAFKA_HOME where that is set, else the fetched ones.

    Raises:
        NativeError: KAFKA_HOME names something else than an unpacked Kafka distribution.
    """
    home = os.environ.get("KAFKA_HOME")
    if not home:
        return layout.kafka_libs / pom_version()
    libs = Path(home).expanduser().resolve() / "libs"
    if not any(libs.glob("kafka_2.*.jar")):
        raise NativeError(
            f"KAFKA_HOME={home} holds no libs/kafka_2.*.jar. Let it name an unpacked Apache Kafka "
            "distribution, or unset it to have the jars fetched by Maven."
        )
    return libs


def prepare(layout: Layout, progress: Progress) -> None:
    """Fetch Kafka's jars, unless they are there already or KAFKA_HOME is set.

    They appear under their name only when all are there: an interrupted run leaves nothing that looks whole.
    """
    libs = libraries(layout)
    if libs.is_dir():
        return
    part = fresh_part(libs)
    log = layout.cache / "kafka" / "maven.log"
    progress.say(f"Fetching Apache Kafka {pom_version()} from Maven Central (once, about 43 MB) ...")

    def watch() -> None:
        fetched = log.read_text(errors="replace").count("Downloaded from ")
        copied = len(list(part.iterdir()))
        progress.show("Kafka", f"{fetched} files fetched" + (f", {copied} jars in place" if copied else ""))

    run(
        ["mvn", "-B", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={part}"],
        log=log,
        doing="Fetching Kafka with Maven",
        advice=(
            "Check the network and Maven's settings (~/.m2/settings.xml), or let KAFKA_HOME name an unpacked "
            "Apache Kafka distribution, or KAFKA_BOOTSTRAP a Kafka that runs already. Then start again."
        ),
        environment={"MAVEN_OPTS": os.environ.get("MAVEN_OPTS", "-XX:TieredStopAtLevel=1")},
        watch=watch,
    )
    part.chmod(0o755)
    part.rename(libs)
    progress.show("Kafka", None)


def server_properties(data: Path, ports: dict[str, int], admin_password: str = "") -> str:
    """Write the broker's settings.

    The quorum is the static kind (`controller.quorum.voters`): its data names the voter by number only, so
    the ports may change between two starts.

    Args:
        data: Where it keeps its log.
        ports: Where it listens.
        admin_password: Of the user `admin`; then clients must log in (SCRAM) and may do what ACLs allow.
            Empty: whoever reaches it may do everything.
    """
    broker, controller = ports["kafka"], ports["kafka_controller"]
    protocol = "SASL_PLAINTEXT" if admin_password else "PLAINTEXT"
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{controller}
listeners={protocol}://{HOST}:{broker},CONTROLLER://{HOST}:{controller}
advertised.listeners={protocol}://{HOST}:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name={protocol}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:{protocol}
log.dirs={data}
{_logins(admin_password) if admin_password else ""}\

# Topics are made by our own tool from their definitions, never by a misspelt name.
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=8

# A worker that joins waits half a second for others, not three.
group.initial.rebalance.delay.ms=500
# One event is a few kilobytes; a request of the import carries many.
message.max.bytes=1048576
# The default, 128 MB, is a sixth of the heap.
log.cleaner.dedupe.buffer.size=33554432
# After a kill the controller lets the broker register again only when its last session has ended; the
# default, 9 s, is how long such a restart would take.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""


def _logins(admin_password: str) -> str:
    """Write who may come in: clients by SCRAM and ACLs, the controller's only client by PLAIN.

    SCRAM cannot be the controller's: its users are in the log that the controller is to serve.
    """
    login = f'required username="{ADMIN}" password="{admin_password}"'
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return f"""
sasl.enabled.mechanisms={MECHANISM}
sasl.mechanism.inter.broker.protocol={MECHANISM}
sasl.mechanism.controller.protocol=PLAIN
listener.name.sasl_plaintext.{MECHANISM.lower()}.sasl.jaas.config={scram} {login};
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} {login} user_{ADMIN}="{admin_password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{ADMIN}
allow.everyone.if.no.acl.found=false
"""


def _common(layout: Layout) -> list[str | Path]:
    """Give the JVM's arguments that the broker and the formatting share."""
    return [
        f"-Dkafka.logs.dir={layout.kafka / 'logs'}",
        f"-Dlog4j2.configurationFile={LOG4J}",
        "-cp",
        libraries(layout) / "*",
    ]


def new_cluster_id(draw: Callable[[], uuid.UUID] = uuid.uuid4) -> str:
    """Draw an id as Kafka writes them; none that begins with a dash, which its tools take for an option."""
    while True:
        cluster_id = base64.urlsafe_b64encode(draw().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id


def _format(layout: Layout, ports: dict[str, int], admin_password: str) -> None:
    """Format the storage once, beside its place, and move it there when done; what is there is kept."""
    data = layout.kafka / "data"
    if data.exists():
        return
    part = fresh_part(data)
    properties = layout.kafka / "format.properties"
    _write(properties, server_properties(part, ports, admin_password))
    users = ["--add-scram", f"{MECHANISM}=[name={ADMIN},password={admin_password}]"] if admin_password else []
    run(
        [
            *(java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *_common(layout)),
            *("kafka.tools.StorageTool", "format", "--cluster-id", new_cluster_id(), "--config", properties),
            *users,
        ],
        log=layout.kafka / "logs" / "format.log",
        doing="Formatting Kafka's storage",
        advice="Look at the output above; `python3 -m deploy.native wipe` starts over with empty data.",
    )
    part.rename(data)


def running(layout: Layout) -> Process | None:
    """Find the running broker of this instance; None when it is down."""
    return read_pid_file(layout.kafka / "pid")


def start(layout: Layout, ports: dict[str, int], admin_password: str = "") -> None:
    """Start the broker and wait until it answers.

    Args:
        layout: The instance.
        ports: Where it listens.
        admin_password: See `server_properties`; the same at every start.

    Raises:
        NativeError: it ended or did not answer; the message holds the end of its log.
    """
    # Records hold people's data: nobody else looks in here.
    layout.kafka.mkdir(mode=0o700, exist_ok=True)
    logs = layout.kafka / "logs"
    logs.mkdir(exist_ok=True)
    properties = layout.kafka / "server.properties"
    _write(properties, server_properties(layout.kafka / "data", ports, admin_password))
    _format(layout, ports, admin_password)
    server_log, console_log = logs / "server.log", logs / "console.log"
    keep_previous(server_log)
    process = start_server(
        [_which(java()), *JVM_OPTIONS, *_common(layout), "kafka.Kafka", properties],
        pid_file=layout.kafka / "pid",
        log=console_log,
        environment={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        account=caller(),
    )
    healthy = takes_connections if admin_password else is_healthy
    wait_until_healthy(
        NAME, process, lambda: healthy(ports["kafka"]), (console_log, server_log), START_SECONDS
    )


def _write(path: Path, text: str) -> None:
    """Write a file that may hold a password: for the caller's eyes alone."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def _which(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NativeError(
            f"{program} is not there. Install Java 17 or newer: apt-get install default-jre-headless"
        )
    return found


def stop(layout: Layout) -> bool:
    """Stop the broker; True when it did so by itself, False when it had to be killed."""
    process = running(layout)
    return process is None or stop_server(process, signal.SIGTERM, STOP_SECONDS)


def kill(layout: Layout) -> bool:
    """Kill the broker as a power cut would; False when it was not running."""
    process = running(layout)
    if process is None:
        return False
    kill_server(process)
    return True


def takes_connections(port: int, timeout: float = 2.0) -> bool:
    """Ask the broker which requests it knows (ApiVersions, version 0): all that it tells without a login."""
    client = b"canhdich-native"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = connection.makefile("rb").read(10)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)


def is_healthy(port: int, timeout: float = 2.0) -> bool:
    """Ask the broker for the cluster's brokers (Metadata, version 1): it lists itself once it takes work."""
    client = b"canhdich-native"
    # Header version 1 (key, version, correlation id, client id), then an empty list of topics: none.
    body = struct.pack(">hhih", 3, 1, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = connection.makefile("rb").read(12)
    except OSError:
        return False
    if len(answer) < 12:
        return False
    _, correlation, brokers = struct.unpack(">iii", answer)
    return bool(correlation == 1 and brokers > 0)
