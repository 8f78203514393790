"""`python -m tests.faults [SCHEDULE]`: findings as JSON on standard output, progress on standard error.

`FAULT_SEED` gives the same records and the same schedule again; which process or batch a fault hits is the
machine's affair. `FAULT_EVENTS` and `FAULT_ROUNDS` scale it. Exit code 1 when a promise is broken.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from schemas.catalogue import load_catalogue
from tests.faults.checks import Finding
from tests.faults.run import Run, Size, prepared
from tests.faults.schedules import EVENTS, SCHEDULES, everything
from tests.faults.servers import own_servers


def main() -> int:
    """Run one schedule."""
    # As when interrupted from the keyboard: workers and servers are not left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("schedule", nargs="?", default=everything.__name__, choices=SCHEDULES)
    parser.add_argument("--sabotage", default="", help="see tests/faults/sabotaged_worker.py")
    parser.add_argument("--batch", type=int, default=250, help="most records of a transaction")
    parser.add_argument("--outage", type=float, default=60, help="seconds for which the database is stopped")
    parser.add_argument("--home", type=Path, help="servers that are kept running; default: new ones")
    arguments = parser.parse_args()
    seed = int(os.environ.get("FAULT_SEED") or secrets.randbelow(10**9))
    size = Size(
        int(os.environ.get("FAULT_EVENTS") or EVENTS.get(arguments.schedule, 200_000)),
        int(os.environ.get("FAULT_ROUNDS", "3")),
        arguments.batch,
        arguments.outage,
    )
    print(f"FAULT_SEED={seed} ({arguments.schedule}, {size})", file=sys.stderr, flush=True)
    folder = Path(tempfile.mkdtemp(prefix="canhdich-faults-workers-"))
    extra = {"FAULT_SABOTAGE": arguments.sabotage} if arguments.sabotage else {}
    with (
        own_servers(arguments.home) as servers,
        prepared(servers, load_catalogue(), seed, size, folder, extra) as run,
    ):
        findings = _findings(run, arguments.schedule)
    said = {
        "seed": seed,
        "sent": run.book.written,
        "happened": [fault._asdict() for fault in run.happened],
        "workers_ended": dict(run.crew.reasons()),
        "findings": [finding._asdict() for finding in findings],
    }
    print(json.dumps(said, indent=2))
    if findings:
        print(f"The workers' logs are in {folder}. FAULT_SEED={seed} runs the same again.", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def _findings(run: Run, schedule: str) -> list[Finding]:
    try:
        findings = SCHEDULES[schedule](run)
    except TimeoutError as error:
        findings = [Finding("stuck", str(error))]
    except BaseException:
        print(run.servers.logs(lines=60), file=sys.stderr)
        raise
    if findings:
        print(run.crew.logs(lines=60), file=sys.stderr)
    return findings


if __name__ == "__main__":
    sys.exit(main())
