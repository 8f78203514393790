"""`canhdich snapshots`: what was published, and when."""

from typing import Any

import typer
from rich.table import Table

from services.cli.connection import connected
from services.cli.output import JsonOption, exits, out, print_json
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.snapshots import Snapshot, read_snapshots


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("snapshots", help="List what was published; `counts --snapshot ID` prints it again.")(
        list_snapshots
    )


@exits
def list_snapshots(json_output: JsonOption = False) -> None:
    """The newest first."""
    with connected() as connection:
        found = read_snapshots(connection)
    if json_output:
        print_json([_document(snapshot) for snapshot in found])
    elif not found:
        out.print(
            "Chưa công bố số liệu nào. / Nothing was published yet (`canhdich counts … --publish LABEL`)."
        )
    else:
        table = Table()
        for column in ("Mã / ID", "Lúc / taken at", "Tên / label", "Loại / kind", "Danh mục / catalogue"):
            table.add_column(column)
        for snapshot in found:
            taken_at = snapshot.taken_at.astimezone(LOCAL_ZONE)
            table.add_row(
                str(snapshot.id),
                f"{taken_at:%d/%m/%Y %H:%M:%S}",
                snapshot.label,
                snapshot.kind,
                snapshot.catalogue_version,
            )
        out.print(table)


def _document(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "taken_at": snapshot.taken_at,
        "label": snapshot.label,
        "kind": snapshot.kind,
        "catalogue": {"load_id": snapshot.vector.load_id, "version": snapshot.catalogue_version},
        "positions": snapshot.positions,
        "settings": snapshot.settings,
        "sha256": snapshot.sha256,
    }
