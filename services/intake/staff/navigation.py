"""What stands at the top of every page, in this order; a person sees what they may open."""

from typing import Final

NAVIGATION: Final = (
    # Address, endpoint (as in people/rights.yaml), words.
    ("/cases/new", "new_case", "common.new_case"),
    ("/cases", "find_cases", "common.find_case"),
    ("/alerts", "alerts_page", "nav.alerts"),
    ("/week", "week_page", "nav.week"),
    ("/import", "import_page", "nav.import"),
    ("/downloads", "downloads_page", "nav.downloads"),
    ("/report", "report_page", "nav.report"),
    ("/dead-letters", "dead_letters_page", "nav.dead_letters"),
    ("/people", "people_page", "people.people"),
)
