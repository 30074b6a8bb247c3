"""Figures for Prometheus: what is measured, as a file and as an endpoint."""
