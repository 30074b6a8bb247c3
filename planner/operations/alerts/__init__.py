"""Telling people of trouble: what, whom, how often, and over which channel."""
