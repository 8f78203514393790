"""Reports written from figures: pure, in Vietnamese and English; docs/report.md says how it speaks."""

from streams.domain.report.facts import SituationFacts
from streams.domain.report.situation import Paragraph, Report, Section, write_situation
from streams.domain.report.text import Mark, Sentences, Shown

__all__ = [
    "Mark",
    "Paragraph",
    "Report",
    "Section",
    "Sentences",
    "Shown",
    "SituationFacts",
    "write_situation",
]
