"""The fault suite: servers and workers are killed while events flow, then every promise is checked.

`python -m tests.faults` runs it. `book` writes the records and knows what must become of each; `feeder` sends
them; `crew` keeps the workers alive; `faults` are what happens to them all, by `schedules`; `checks` compare
the end with `expected`, an account of its own. `sabotaged_worker` shows that the checks can fail.
"""
