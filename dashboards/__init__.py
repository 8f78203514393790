"""The Grafana boards, as code: `python -m dashboards` writes their JSON to dashboards/generated."""

import warnings

with warnings.catch_warnings():
    # The SDK prefers schema v2, which Grafana 11 and 12 do not read from files; the classic one loads in all.
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    import grafana_foundation_sdk.builders.dashboard
    import grafana_foundation_sdk.models.dashboardv2beta1  # noqa: F401
