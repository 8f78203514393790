"""What the fold must know of diseases and areas, as one immutable version."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.domain.areas import AreaIndex


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One loaded version of the catalogue.

    Attributes:
        load_id: Number of the load, growing; every journal row names the one that judged it.
        resolves_to: Every known disease code, with agent -> disease for syndromes (else empty).
        case_reports_since: (disease, province id) -> first ISO day from which case reports count;
            before it the tallies of that province are the truth.
    """

    load_id: int
    areas: AreaIndex
    resolves_to: Mapping[str, Mapping[str, str]]
    case_reports_since: Mapping[tuple[str, str], str] = field(default_factory=dict)
