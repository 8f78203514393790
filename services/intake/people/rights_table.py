"""`python -m services.intake.people.rights_table`: writes the matrix of rights into docs/people.md."""

import sys
from pathlib import Path
from typing import Final

from services.intake.people.person import Role
from services.intake.people.rights import Right, Rights, rights

PAGE: Final = Path(__file__).parents[3] / "docs" / "people.md"
_BEGIN, _END = "<!-- rights -->\n", "<!-- end of rights -->\n"

_SIGNS: Final = {Right.NONE: "–", Right.OWN: "own", Right.ALL: "all"}


def table(matrix: Rights) -> str:
    """The matrix as a table of Markdown, a row per endpoint."""
    head = ["việc / what", "endpoint", *(role.value for role in Role)]
    rows = [head, ["---"] * len(head)]
    for endpoint, row in matrix.matrix.items():
        title_vi, title_en = matrix.titles[endpoint]
        rows.append([f"{title_vi} / {title_en}", f"`{endpoint}`", *(_SIGNS[row[role]] for role in Role)])
    return "".join("| " + " | ".join(cells) + " |\n" for cells in rows)


def with_table(page: str, matrix: Rights) -> str:
    """A page with the table of now in the place of the one it has.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no place for the table: <!-- rights --> … <!-- end of rights -->")
    return before + begin + table(matrix) + end + after


def main() -> int:
    """Write the page."""
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), rights()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
