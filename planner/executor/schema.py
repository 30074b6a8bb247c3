"""The ledger's tables, and how an older ledger becomes a newer one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from planner.executor.energy import ASSUMED, LABELS
from planner.executor.errors import LedgerVersionError
from planner.executor.instants import to_us
from planner.executor.states import State
from planner.executor.store import Store

_LABELS = ", ".join(f"'{label}'" for label in LABELS if label != ASSUMED)
_STATES = ", ".join(f"'{state}'" for state in State)

_VERSION_1 = f"""
create table site (
    id text not null primary key,
    created_us bigint not null
);
create table plans (
    plan_id text not null primary key,
    date text not null,
    serial integer not null,
    digest text not null,
    created_us bigint not null,
    horizon_start_us bigint not null,
    horizon_end_us bigint not null,
    followed_us bigint not null
);
create table region_power (
    plan_id text not null references plans (plan_id),
    region text not null,
    peak_kw double precision not null,
    primary key (plan_id, region)
);
create table specs (
    digest text not null primary key,
    spec text not null
);
create table dispatches (
    key text not null primary key,
    date text not null,
    job_id text not null,
    segment integer not null,
    attempt integer not null check (attempt > 0),
    plan_id text not null references plans (plan_id),
    region text not null,
    executor text not null,
    replicas integer not null,
    power_kw double precision not null,
    start_us bigint not null,
    end_us bigint not null check (end_us > start_us),
    due_us bigint not null,
    deadline_us bigint not null,
    on_missed text not null check (on_missed in ('run', 'skip')),
    retries integer not null check (retries >= 0),
    spec_digest text not null references specs (digest),
    state text not null check (state in ({_STATES})),
    changed_us bigint not null,
    intent_us bigint,
    handle text,
    started_us bigint,
    ended_us bigint,
    exit_code integer,
    reason text,
    unique (date, job_id, segment, attempt)
);
create index dispatches_by_state on dispatches (state, due_us);
create table transitions (
    sequence integer not null primary key,
    key text not null references dispatches (key),
    at_us bigint not null,
    actor text not null,
    lease bigint not null,
    plan_id text not null references plans (plan_id),
    before_state text check (before_state in ({_STATES})),
    after_state text not null check (after_state in ({_STATES})),
    detail text
);
create index transitions_by_key on transitions (key);
create view history as
    select t.sequence, t.key, d.date, d.job_id, d.segment, d.attempt, t.at_us,
        t.actor, t.lease, t.plan_id, p.digest as plan_digest, t.before_state,
        t.after_state, t.detail
    from transitions t
    join dispatches d on d.key = t.key
    join plans p on p.plan_id = t.plan_id;
create table lease (
    number bigint not null,
    holder text,
    taken_us bigint
);
insert into lease (number) values (0);
"""

_VERSION_2 = """
create table dependencies (
    plan_id text not null references plans (plan_id),
    job_id text not null,
    needs text not null,
    primary key (plan_id, job_id, needs)
);
create index dependencies_by_need on dependencies (needs, plan_id);
create table holds (
    sequence integer not null primary key,
    scope text not null check (scope in ('job', 'region', 'all')),
    target text not null,
    date text,
    at_us bigint not null,
    actor text not null,
    reason text,
    lifted_us bigint,
    lifted_by text
);
create table wishes (
    sequence integer not null primary key,
    verb text not null check (verb in ('cancel', 'retry')),
    date text not null,
    target text not null,
    at_us bigint not null,
    actor text not null,
    reason text,
    done_us bigint,
    outcome text
);
create index wishes_by_end on wishes (done_us);
"""

_VERSION_3 = f"""
create table energies (
    key text not null primary key references dispatches (key),
    kwh double precision not null check (kwh >= 0),
    label text not null check (label in ({_LABELS})),
    source text not null,
    at_plug integer not null check (at_plug in (0, 1)),
    units double precision,
    at_us bigint not null
);
"""

# A rule cannot be widened in place in both databases. Numbers of wishes are drawn
# anew, since what the server drew for the old table it would draw again for the new.
_VERSION_4 = """
create table hosts (
    name text not null primary key,
    seen_us bigint not null,
    boot text,
    steady_us bigint,
    noted_us bigint
);
create table clock_jumps (
    host text not null,
    at_us bigint not null,
    by_us bigint not null
);
alter table wishes rename to wishes_before;
drop index wishes_by_end;
create table wishes (
    sequence integer not null primary key,
    verb text not null check (verb in ('cancel', 'retry', 'close')),
    date text not null,
    target text not null,
    at_us bigint not null,
    actor text not null,
    reason text,
    done_us bigint,
    outcome text,
    state text check (state in ('done', 'failed'))
);
insert into wishes (verb, date, target, at_us, actor, reason, done_us, outcome)
    select verb, date, target, at_us, actor, reason, done_us, outcome
    from wishes_before order by sequence;
drop table wishes_before;
create index wishes_by_end on wishes (done_us);
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
"""Script number n leads from version n to version n + 1; never edited, only added."""

VERSION = len(MIGRATIONS)


def migrate(store: Store, scripts: Sequence[str] = MIGRATIONS) -> None:
    """Bring a ledger to the newest version, inside the open transaction.

    Parameters
    ----------
    store
        Within a transaction that the caller commits: all steps or none.
    scripts
        Script number n leads from version n to version n + 1.
    """
    for script in scripts[store.version() :]:
        for statement in script.split(";"):
            if statement.strip():
                store.execute(store.ddl(statement))
    store.set_version(len(scripts))


def copy_rows(source: Store, target: Store) -> None:
    """Make the tables of a ledger in an empty one, with all their rows."""
    made = MIGRATIONS[: source.version()]
    migrate(target, made)
    target.begin()
    for table in dict.fromkeys(re.findall(r"create table (\w+)", "".join(made))):
        rows = target.query(f"select name from pragma_table_info('{table}')")
        names = ", ".join(name for (name,) in rows)
        marks = ", ".join("?" for _ in rows)
        target.execute(f"delete from {table}")
        target.execute_many(
            f"insert into {table} ({names}) values ({marks})",
            source.stream(f"select {names} from {table}"),
        )
    target.commit()


def fill(store: Store, *, site: str, now: datetime) -> None:
    """Make all tables of a new ledger, inside the open transaction."""
    migrate(store)
    store.execute("insert into site values (?, ?)", (site, to_us(now)))


def require_known_version(store: Store) -> None:
    """Refuse a ledger that a newer program wrote, naming both versions.

    Raises
    ------
    LedgerVersionError
        If its tables are newer than this program knows.
    """
    found = store.version()
    if found > VERSION:
        raise LedgerVersionError(
            f"{store.name} has version {found}, this program knows up to {VERSION}; "
            "use the newer program"
        )
