"""A province that imports files into one memory, as the command and the pages do."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

from services.importing.codes import CodeFinder
from services.importing.national import COLUMNS
from services.importing.readers import InputFile
from services.importing.run import Content, ImportPlan, Ports, run_import
from services.importing.sender import RowStore
from streams.domain.catalogue import Catalogue
from tests.unit.importing.fakes import MemoryIdentities, MemoryKafka, MemoryRows, MemoryTwins

NOW = datetime(2025, 11, 1, 5, 0, tzinfo=UTC)
HEADER = tuple(name for name, _ in COLUMNS)
CASE = {
    "STT": "1",
    "Mã số": "2025-12-000001",
    "Họ tên": "Lò Văn Pâng",
    "Tỉnh": "Tỉnh Lai Châu",
    "Xã": "Xã Bình Lư",
    "Chẩn đoán chính": "Sốt xuất huyết Dengue",
    "Phân loại chẩn đoán": "Lâm sàng (nghi ngờ)",
    "Ngày khởi phát": "01/08/2025",
    "Thời gian báo cáo": "02/08/2025 08:30",
}
"""The cells of a case with which nothing is wrong."""


def export(*cases: Mapping[str, str], header: Sequence[str] = HEADER, delimiter: str = ";") -> bytes:
    """An export of these cases, as Excel saves it."""
    lines = [header, *([case.get(name, "") for name in header] for case in cases)]
    return "\r\n".join(delimiter.join(line) for line in lines).encode("utf-8-sig")


class Province:
    """One memory; every import is a new process a minute later."""

    def __init__(self, judging: Catalogue, codes: CodeFinder) -> None:
        self.rows = MemoryRows()
        self.kafka = MemoryKafka(NOW + timedelta(days=9))
        self.codes = codes
        self.twins = MemoryTwins()
        self.now = NOW
        self._judging = judging
        self._stores: dict[str, MemoryRows] = {}

    def send(
        self,
        content: bytes,
        name: str = "export.csv",
        *,
        preview: bool = False,
        held: Content | None = None,
        plan: ImportPlan | None = None,
    ) -> ImportPlan:
        """Import a file that somebody sent."""
        self.now += timedelta(minutes=1)
        ports = Ports(
            store=self._store,
            identities=MemoryIdentities(),
            sender=None if preview else self.kafka,
            codes=self.codes,
            catalogue=self._judging,
            twins=self.twins,
        )
        return run_import(
            plan or ImportPlan(name, preview),
            InputFile.of(io.BytesIO(content), name),
            ports,
            content=held,
            now=self.now,
            progress=lambda _rows: nullcontext(lambda _done: None),
        )

    @contextmanager
    def _store(self, source: str, reads_only: bool) -> Iterator[RowStore]:
        yield self._stores.setdefault(source, self.rows if not self._stores else MemoryRows())

    @property
    def told(self) -> bytes:
        """All that left the importer: events, and what is remembered."""
        remembered = (repr(row).encode() + event for row, event, _ in self.rows.table.values())
        return b"".join([value for _, value in self.kafka.records] + list(remembered))
