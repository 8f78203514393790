"""The pictures of the boards: real queries over simulated data, drawn by Grafana's own components."""
