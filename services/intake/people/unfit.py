"""What cannot be done, in the words of both languages."""

from services.intake.staff.words import say
from streams.domain.errors import RefusedAction


class Unfit(RefusedAction):
    """What was asked for cannot be; `key` is the sentence about it in words/people.*.yaml, with `values`."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say("en", key, **values))
        self.key = key
        self.values = values
