"""`python -m services.notify`: sends what is due; one is enough, more share the work."""

import logging
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from types import FrameType

import httpx

from services.logs import configure_logging
from services.notify.channels import MailServer, channels
from services.notify.deliver import CANARY, NOTIFIER, WATCHER, deliver_due, silent
from services.settings import Settings, load_settings
from streams.domain.errors import CanhDichError, DependencyDown
from streams.stores.deliveries import PostgresOutbox

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between two looks into the outbox."""
_LONGEST_PAUSE = 15.0


class Notifier:
    """Looks, sends, waits; until told to stop."""

    def __init__(self, settings: Settings, client: httpx.Client, stop: threading.Event) -> None:
        self._settings = settings
        self._client = client
        self._stop = stop
        self._outbox = PostgresOutbox(settings.database_url.get_secret_value())
        self._channels = channels(
            MailServer(
                settings.smtp_host,
                settings.smtp_port,
                settings.smtp_security,
                settings.smtp_user,
                settings.smtp_password.get_secret_value(),
                settings.mail_from,
            ),
            settings.webhook_secret.get_secret_value(),
            client,
        )
        self._next_heartbeat = datetime.min.replace(tzinfo=UTC)

    def run(self) -> None:
        """Until `stop` is set; a database that is down makes it wait."""
        pause = LOOK_EVERY
        while not self._stop.is_set():
            try:
                deliver_due(self._outbox, self._channels, self._settings.alert_link, _now)
                self._beat()
                pause = LOOK_EVERY
            except DependencyDown as error:
                pause = min(_LONGEST_PAUSE, pause * 2)
                log.warning("%s; trying again in %.0f s", error, pause)
            self._stop.wait(pause)
        self._outbox.close()

    def _beat(self) -> None:
        """Call the outside watchdog, but only while everything in the chain has worked lately."""
        url = self._settings.heartbeat_url.get_secret_value()
        now = _now()
        if not url or now < self._next_heartbeat:
            return
        self._next_heartbeat = now + timedelta(seconds=self._settings.heartbeat_seconds)
        patience = {NOTIFIER: timedelta(minutes=2), WATCHER: timedelta(minutes=5)}
        if self._settings.canary_seconds:
            patience[CANARY] = timedelta(seconds=3 * self._settings.canary_seconds)
        missing = silent(self._outbox.signs_of_life(), now, patience)
        if missing:
            log.error("no heartbeat: nothing heard in time of %s", ", ".join(missing))
            return
        try:
            self._client.post(url, timeout=10).raise_for_status()
        except httpx.HTTPError as error:
            # The watchdog notices by itself; its address is a secret and stays out of the log.
            log.warning("the watchdog did not take the heartbeat: %s", type(error).__name__)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Run until told to stop; exit codes as the command line's."""
    configure_logging("notifier")
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        with httpx.Client(follow_redirects=False) as client:
            Notifier(load_settings(), client, stop).run()
    except CanhDichError as error:
        print(f"notify: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
