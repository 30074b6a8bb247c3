"""Tables of the memory of alerts; instants are seconds since 1970 UTC."""

from __future__ import annotations

SCHEMA = """
create table if not exists notices (
    sequence integer primary key,
    channel text not null,
    fingerprint text not null,
    trouble text not null,
    code text not null,
    text text not null,
    facts text not null,
    at real not null,
    repeats integer not null default 0,
    attempts integer not null default 0,
    next_at real not null,
    state text not null default 'waiting'
);
create index if not exists notices_by_fingerprint
    on notices (channel, fingerprint, at);
create index if not exists notices_by_state on notices (channel, state, next_at);
create table if not exists sendings (
    channel text not null,
    outcome text not null,
    at real not null
);
create index if not exists sendings_by_channel on sendings (channel, at);
create table if not exists totals (
    channel text not null,
    outcome text not null,
    number integer not null,
    primary key (channel, outcome)
);
create table if not exists told (
    site text primary key,
    step integer not null
);
"""
