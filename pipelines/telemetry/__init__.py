"""A run for the dashboards that are there already: Prometheus metrics and structured logs."""
