"""The one tree of errors, drawn by what happens next.

CanhDichError
├── DependencyDown        a server does not answer: wait and try again, never skip (exit code 3)
├── ConfigurationError    a person must change a setting: stop with a sentence (exit code 2)
├── ViewMoved             another transaction was quicker: read the view again and decode again
├── RefusedData           the database refuses a value: find the record (bisect) and dead-letter it
├── RefusedAction         what a person asks is not possible now: says why and what is (exit code 1)
└── OutOfStep             records do not go on where the database stands: end the process, never skip
"""


class CanhDichError(Exception):
    """Anything that this system raises on purpose."""


class DependencyDown(CanhDichError):
    """Kafka or the database does not answer; the work is to be repeated, not dropped."""


class ConfigurationError(CanhDichError):
    """Something that only a person can put right; the message says what to do."""


class ViewMoved(CanhDichError):
    """The catalogue or a partition's position is no longer what a batch was decoded with."""


class RefusedData(CanhDichError):
    """The database refuses a value that the schema let through."""


class RefusedAction(CanhDichError):
    """What a person asks for is not possible in the present state; the message says why."""


class OutOfStep(CanhDichError):
    """A record is missing before one that came; the next process reads from where the database stands."""
