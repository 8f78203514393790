"""A made-up season with known outbreaks: what each rule and each detector sees of it, and how soon.

`python -m tests.season` prints the table of docs/alert-performance.md, which has the definitions.
"""
