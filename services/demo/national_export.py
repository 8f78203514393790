"""Lifelike exports of the national system, two days of them, with what is true of every row. SIMULATED.

People misspell, repeat rows, use place names of before the reform, and correct cases later: the second day's
export has the first day's cases again, some of them changed. Names, numbers and addresses are invented; they
are there so that a test can look for them where they must not be.
"""

import csv
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from schemas.catalogue import Area, Catalogue
from schemas.catalogue.matching import AreaIndex, normalise, unaccented
from services.importing.national import COLUMNS

HEADER: tuple[str, ...] = tuple(name for name, _ in COLUMNS)

Expected = Literal["created", "updated", "unchanged", "rejected", "doubtful"]
"""What must become of a row; a doubtful one is rejected with candidates."""

_REFORM = date(2025, 7, 1)
_FIRST_ONSET = date(2025, 8, 1)
_EXPORTED = datetime(2025, 10, 20, 7, 0)  # noqa: DTZ001 - local time, as the system writes it
# Spellings that are certain, and one that is not.
_DISEASES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "dengue": (
        ("Sốt xuất huyết Dengue", "SXHD", "A97 - Sốt xuất huyết Dengue", "sot xuat huyet dengue"),
        "Sốt xuất huyêt Dengu",
    ),
    "measles": (("Sởi", "B05 - Sởi", "SỞI", "Bệnh sởi"), "Sởii"),
    "hfmd": (("Tay - chân - miệng", "Bệnh tay chân miệng", "TCM"), "Tay chân miêngg"),
    "chickenpox": (("Thủy đậu", "Thuỷ đậu", "thuy dau"), "Thủy đâuu"),
    "rabies": (("Bệnh dại", "Dại"), "Bệnh dạii"),
}
_SURNAMES = ("Lò Văn", "Giàng A", "Vàng Thị", "Tẩn Seo", "Nguyễn Thị", "Lý Văn")
_GIVEN = ("Pâng", "Súa", "Mỷ", "Chẻo", "Hạnh", "Páo", "Dình", "Lan")
_STATES = ("Đang điều trị", "Điều trị nội trú", "Điều trị ngoại trú")
_RESULTS = ("Dương tính", "Âm tính", "Chưa có kết quả", "")
_KEPT_RESULT = {"Dương tính": "positive", "Âm tính": "negative", "Chưa có kết quả": "pending"}
_KEPT_CLASS = {"Lâm sàng (nghi ngờ)": "suspected", "Xác định PTN": "confirmed"}


@dataclass(frozen=True, slots=True)
class TrueCase:
    """What is true of a case, whatever its row looks like."""

    code: str
    disease: str
    area_id: str
    area_code: str
    onset_on: date
    classification: str
    lab: str
    is_dead: bool
    died_on: date | None


@dataclass(frozen=True, slots=True)
class NationalDay:
    """One day's export.

    Attributes:
        rows: Every row of the sheet from its first, titles, header and total included.
        expected: Number of a row (the first is 1) → what must become of it.
        truth: Code → the case as it is once the file was imported.
        secrets: Texts that must be found nowhere after an import.
    """

    rows: tuple[tuple[str, ...], ...]
    expected: Mapping[int, Expected]
    truth: Mapping[str, TrueCase]
    secrets: frozenset[str]

    def csv(self, delimiter: str = ",") -> str:
        """As Excel writes it."""
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(self.rows)
        return out.getvalue()


@dataclass(slots=True)
class _Case:
    """A case as the national system has it: what is true, and the cells."""

    true: TrueCase
    cells: dict[str, str]
    trouble: Expected | None = None
    secrets: set[str] = field(default_factory=set)


def national_days(
    catalogue: Catalogue, seed: int, cases: int, province: str = "12"
) -> tuple[NationalDay, NationalDay]:
    """Two exports of one province, a day apart.

    Args:
        catalogue: Where names and codes come from.
        seed: The same one gives the same exports.
        cases: Cases of the first day; the second has a tenth more.
        province: Code since 2025-07-01.
    """
    maker = _Maker(catalogue, seed, province)
    first = [maker.case(n) for n in range(cases)]
    day_one = maker.day(first, {}, _EXPORTED)
    before = {case.true.code: case.true for case in first if case.trouble is None}
    second = [maker.later(case) for case in first]
    second += [maker.case(n) for n in range(cases, cases + max(1, cases // 10))]
    return day_one, maker.day(second, before, _EXPORTED + timedelta(days=1))


class _Maker:
    def __init__(self, catalogue: Catalogue, seed: int, province: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - simulated data, not secrets
        index = AreaIndex(catalogue.areas, catalogue.links)
        self._province = next(
            a for a in index.by_code[province] if a.kind == "province" and a.valid_from == _REFORM
        )
        self._communes = [
            a for a in catalogue.areas if a.parent_id == self._province.id and a.kind == "commune"
        ]
        self._spellings = {area.id: self._spellings_of(area) for area in self._communes}
        self._add_old_names(catalogue, index)

    def _spellings_of(self, area: Area) -> list[str]:
        kind, _, name = area.name_vi.partition(" ")
        short = {"Phường": "P.", "Xã": "X."}.get(kind)
        spellings = [area.name_vi, area.name_vi.upper(), area.code]
        if sum(normalise(name) == normalise(a.name_vi.partition(" ")[2]) for a in self._communes) == 1:
            spellings.append(name)
            if short:
                spellings.append(f"{short} {name}")
        plain = unaccented(normalise(area.name_vi))
        if sum(plain == unaccented(normalise(a.name_vi)) for a in self._communes) == 1:
            spellings.append(plain)
        return spellings

    def _add_old_names(self, catalogue: Catalogue, index: AreaIndex) -> None:
        """Names of communes that went whole into one of now, where nothing else is or was called so."""
        today = {unaccented(normalise(a.name_vi.rpartition(" ")[2])) for a in self._communes}
        old = [
            a for a in catalogue.areas if a.kind == "commune" and a.valid_to == _REFORM - timedelta(days=1)
        ]
        called: dict[str, list[Area]] = {}
        for area in old:
            targets = index.counterparts(area, _REFORM)
            if any(target.parent_id == self._province.id for target in targets):
                called.setdefault(unaccented(normalise(area.name_vi)), []).append(area)
        for areas in called.values():
            area, targets = areas[0], index.counterparts(areas[0], _REFORM)
            last = unaccented(normalise(area.name_vi.rpartition(" ")[2]))
            if len(areas) == len(targets) == 1 and last not in today:
                self._spellings[targets[0].id].append(area.name_vi)

    def case(self, number: int) -> _Case:
        """A case as it is first reported."""
        draw = self._random
        disease = draw.choice(list(_DISEASES))
        area = draw.choice(self._communes)
        onset = _FIRST_ONSET + timedelta(days=draw.randrange(70))
        reported = datetime.combine(
            onset + timedelta(days=draw.randrange(1, 6)), time(draw.randrange(7, 18), draw.randrange(60))
        )
        born = date(1950, 1, 1) + timedelta(days=draw.randrange(73 * 365))
        name = f"{draw.choice(_SURNAMES)} {draw.choice(_GIVEN)}{number}"
        # Of the form of real ones, and nobody's: they are counted up.
        phone, identity = f"09{number:08d}", f"0120{number:08d}"
        result = draw.choice(_RESULTS)
        kind = "Xác định PTN" if result == "Dương tính" else "Lâm sàng (nghi ngờ)"
        code = f"2025-12-{number:06d}"
        cells = {
            "STT": str(number + 1),
            "Mã số": code,
            "Họ tên": name,
            "Ngày sinh": f"{born:%d/%m/%Y}",
            "Nghề nghiệp": "Nông dân",
            "Dân tộc": "Thái",
            "Giới tính": draw.choice(("Nam", "Nữ")),
            "CMND": identity,
            "Điện thoại": phone,
            "Nơi ở hiện nay": f"Số {number}, nhà {name}",
            "Tỉnh": draw.choice(
                (self._province.name_vi, self._province.name_vi.removeprefix("Tỉnh "), self._province.code)
            ),
            "Xã": draw.choice(self._spellings[area.id]),
            "Thôn": f"Bản {draw.choice(('Nà Hum', 'Hua Bum', 'Cốc'))}",
            "Kinh độ": f"103.4{number}77",
            "Vĩ độ": f"22.3{number}77",
            "Chẩn đoán chính": draw.choice(_DISEASES[disease][0]),
            "Tình trạng tiêm chủng": draw.choice(("Có", "Không", "Không rõ", "")),
            "Phân loại chẩn đoán": kind,
            "Lấy mẫu xét nghiệm": "Có" if result else "",
            "Kết quả": result,
            "Ghi chú": f"Con ông {name}, gọi {phone}; đã điều tra",
            "Tình trạng hiện nay": draw.choice(_STATES),
            "Tiền sử dịch tễ": f"Tiếp xúc với {name}",
            "Ngày khởi phát": f"{onset:%d/%m/%Y}",
            "Tên người báo cáo": f"{draw.choice(_SURNAMES)} Khám{number}",
            "SĐT người báo cáo": phone,
            "Email người báo cáo": f"nguoi{number}@example.vn",
            "Đơn vị báo cáo": f"Trạm Y tế {area.name_vi}",
            "Trạng thái": "Đã gửi",
            "Thời gian báo cáo": f"{reported:%d/%m/%Y %H:%M}",
        }
        true = TrueCase(
            code,
            disease,
            area.id,
            area.code,
            onset,
            _KEPT_CLASS[kind],
            _KEPT_RESULT.get(result, ""),
            False,
            None,
        )
        made = _Case(
            true, cells, secrets={name, phone, identity, f"103.4{number}77", f"nguoi{number}@example.vn"}
        )
        self._spoil(made, number)
        return made

    def _spoil(self, case: _Case, number: int) -> None:
        """One row in twenty has something wrong with it."""
        if number % 20 != 7:
            return
        wrong = number // 20 % 4
        if wrong == 0:
            case.cells["Chẩn đoán chính"], case.trouble = _DISEASES[case.true.disease][1], "doubtful"
        elif wrong == 1:
            case.cells["Mã số"], case.trouble = "", "rejected"
        elif wrong == 2:
            case.cells["Ngày khởi phát"], case.trouble = "31/02/2025", "rejected"
        else:
            case.cells["Chẩn đoán chính"], case.trouble = "Không rõ", "rejected"

    def later(self, case: _Case) -> _Case:
        """The same case in the next export: often as it was, sometimes edited, or mended."""
        draw = self._random
        if case.trouble is not None:
            # Half of them are mended in the national system.
            if draw.random() < 0.5:
                return case
            true = case.true
            mended = case.cells | {
                "Mã số": true.code,
                "Chẩn đoán chính": _DISEASES[true.disease][0][0],
                "Ngày khởi phát": f"{true.onset_on:%d/%m/%Y}",
            }
            return replace(case, cells=mended | self._edited(), trouble=None)
        kind = draw.randrange(10)
        cells, true = dict(case.cells), case.true
        if kind == 0:
            cells |= {
                "Kết quả": "Dương tính",
                "Phân loại chẩn đoán": "Xác định PTN",
                "Lấy mẫu xét nghiệm": "Có",
            }
            true = replace(true, lab="positive", classification="confirmed")
        elif kind == 1:
            died = min(true.onset_on + timedelta(days=8), _EXPORTED.date())
            cells |= {"Tình trạng thay đổi gần nhất": "Tử vong", "Ngày ra viện/tử vong": f"{died:%d/%m/%Y}"}
            true = replace(true, is_dead=True, died_on=died)
        elif kind == 2:
            disease = draw.choice([code for code in _DISEASES if code != true.disease])
            cells["Chẩn đoán thay đổi gần nhất"] = _DISEASES[disease][0][0]
            true = replace(true, disease=disease)
        elif kind == 3:
            area = draw.choice([a for a in self._communes if a.id != true.area_id])
            cells["Xã"] = draw.choice(self._spellings[area.id])
            true = replace(true, area_id=area.id, area_code=area.code)
        else:
            return case
        return replace(case, true=true, cells=cells | self._edited())

    def _edited(self) -> dict[str, str]:
        at = _EXPORTED + timedelta(minutes=self._random.randrange(60, 1_200))
        return {"Thời gian sửa": f"{at:%d/%m/%Y %H:%M}"}

    def day(self, cases: Sequence[_Case], before: Mapping[str, TrueCase], at: datetime) -> NationalDay:
        """The sheet of one day."""
        rows: list[tuple[str, ...]] = [
            ("BỘ Y TẾ - DỮ LIỆU MÔ PHỎNG",),
            (f"DANH SÁCH TRƯỜNG HỢP BỆNH TRUYỀN NHIỄM ĐẾN {at:%d/%m/%Y}",),
            (),
            HEADER,
        ]
        expected: dict[int, Expected] = {}
        truth = dict(before)
        for case in cases:
            for copy in range(2 if case.trouble is None and self._random.random() < 0.03 else 1):
                rows.append(tuple(case.cells.get(name, "") for name in HEADER))
                if case.trouble is not None:
                    expected[len(rows)] = case.trouble
                    continue
                known = truth.get(case.true.code)
                same = copy > 0 or known == case.true
                expected[len(rows)] = "unchanged" if same else "updated" if known else "created"
                truth[case.true.code] = case.true
        rows += [(), (f"Tổng cộng: {len(cases)} ca",), ("", "", "", "Người lập biểu")]
        return NationalDay(
            tuple(rows), expected, truth, frozenset(secret for case in cases for secret in case.secrets)
        )


def counts_of(day: NationalDay) -> Iterator[tuple[str, str, int, int, int]]:
    """(disease, commune code, cases, positive, deaths) that must be counted after the day's import."""
    keys = sorted({(case.disease, case.area_code) for case in day.truth.values()})
    for disease, area in keys:
        cases = [case for case in day.truth.values() if (case.disease, case.area_code) == (disease, area)]
        yield (
            disease,
            area,
            len(cases),
            sum(case.lab == "positive" for case in cases),
            sum(case.is_dead for case in cases),
        )
