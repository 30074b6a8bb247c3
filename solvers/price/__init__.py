"""Price engine: near-optimal days of any size with a proven gap."""
