"""What a report as DOCX needs that takes its time to start, beside the importing of all that makes it."""

from collections.abc import Sequence

from services.report.charts import begin_drawing


def begin(arguments: Sequence[str]) -> None:
    """Begin what the arguments of `canhdich report` seem to ask for; nothing where that is not clear.

    Raises:
        OSError: no process can be started.
    """
    if arguments[:1] == ["situation"] and any(text.endswith("docx") for text in arguments):
        begin_drawing()
