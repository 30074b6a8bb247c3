"""Sends each planned segment at its time, at most once, and keeps the ledger."""
