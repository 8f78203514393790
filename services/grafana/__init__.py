"""What a Grafana server is to hold, and bringing it there over its HTTP API."""
