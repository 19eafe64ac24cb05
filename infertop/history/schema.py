"""The tables of the database: the tape and its roll-ups, the ledger, and what a viewer is shown.

Times are UTC. `ts` of `polls` is in milliseconds, every other time in seconds since the epoch. Ranges run from `start`
(included) to `until` (excluded).
"""

from __future__ import annotations

APPLICATION_ID = 0x69667470  # "iftp"
VERSION = 5

# The tape. A poll is a heartbeat: it proves that a source was read although values that did not change have no row in
# `raw`. Its shape is the series that it read, in order. A keyframe has a row for every series, so that a reader need
# not go back further. A NULL in `raw` says that the series is gone; a BLOB is a histogram (see codec.py).
_TAPE = (
    "CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, source INTEGER NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL,
        created INTEGER NOT NULL)""",
    "CREATE TABLE shapes (id INTEGER PRIMARY KEY, series BLOB NOT NULL)",
    "CREATE TABLE bounds (id INTEGER PRIMARY KEY, content BLOB NOT NULL)",
    """CREATE TABLE polls (
        seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, source INTEGER NOT NULL, shape INTEGER NOT NULL, started REAL,
        keyframe INTEGER NOT NULL)""",
    "CREATE INDEX polls_by_source ON polls (source, ts)",
    "CREATE INDEX polls_keyframes ON polls (source, seq) WHERE keyframe",
    """CREATE TABLE raw (
        poll INTEGER NOT NULL, series INTEGER NOT NULL, value REAL, PRIMARY KEY (poll, series)) WITHOUT ROWID""",
    """CREATE TABLE statements (
        source TEXT NOT NULL, key TEXT NOT NULL, start REAL NOT NULL, until REAL NOT NULL, poll INTEGER NOT NULL,
        content TEXT NOT NULL, PRIMARY KEY (source, key))""",
    "CREATE INDEX statements_by_poll ON statements (poll)",
    "CREATE INDEX statements_by_time ON statements (source, start)",
)

# `n` counts polls, unchanged values included; `total` is the sum over them; `inc` is what a counter grew by (a fall
# counts the new value in full), or a histogram's growth as a BLOB.
_ROLLUPS = tuple(
    f"""CREATE TABLE {name} (
        series INTEGER NOT NULL, ts INTEGER NOT NULL, n INTEGER NOT NULL, low REAL, high REAL, total REAL, last REAL,
        inc REAL, resets INTEGER NOT NULL, PRIMARY KEY (series, ts)) WITHOUT ROWID"""
    for name in ("minute", "hour")
)

# The ledger. A line is (start, until, account); an account is everything else that tells lines apart, said once.
_LEDGER = (
    "CREATE TABLE prices (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE accounts (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, provider TEXT NOT NULL, model TEXT, resource TEXT NOT NULL,
        dimensions TEXT NOT NULL, unit TEXT NOT NULL, price TEXT, basis TEXT NOT NULL, flags TEXT NOT NULL)""",
    """CREATE TABLE lines (
        start INTEGER NOT NULL, until INTEGER NOT NULL, account INTEGER NOT NULL, quantity INTEGER NOT NULL,
        usd_nano INTEGER, open INTEGER NOT NULL, PRIMARY KEY (start, until, account)) WITHOUT ROWID""",
    "CREATE INDEX lines_open ON lines (open) WHERE open",
    "CREATE INDEX lines_wide ON lines (until) WHERE until - start > 60",
    "CREATE TABLE coverage (minute INTEGER PRIMARY KEY, ms INTEGER NOT NULL)",
)

_NOTES = (
    "CREATE TABLE health (source TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE inventory (kind TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE events (
        key TEXT PRIMARY KEY, ts REAL NOT NULL, tick INTEGER NOT NULL, content TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX events_by_time ON events (ts)",
    "CREATE INDEX events_by_tick ON events (tick)",
    """CREATE TABLE budget_levels (
        budget TEXT NOT NULL, period INTEGER NOT NULL, level TEXT NOT NULL, ts REAL NOT NULL,
        PRIMARY KEY (budget, period, level)) WITHOUT ROWID""",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY, boot TEXT NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL, started REAL NOT NULL,
        ended REAL)""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

# How far sources that are read on from where they were have come: what is in a row is the collector's own.
BOOKMARKS = """
    CREATE TABLE bookmarks (
        source TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (source, key)) WITHOUT ROWID"""

TABLES: tuple[str, ...] = (*_TAPE, *_ROLLUPS, *_LEDGER, *_NOTES)

# What cost APIs said, and which of a source's days have bills; `due` says that one waits to be settled (again).
BILLS: tuple[str, ...] = (
    "CREATE TABLE bills (source TEXT NOT NULL, start INTEGER NOT NULL, until INTEGER NOT NULL, content TEXT NOT NULL)",
    "CREATE INDEX bills_by_day ON bills (source, start)",
    """CREATE TABLE bill_days (
        source TEXT NOT NULL, start INTEGER NOT NULL, until INTEGER NOT NULL, settles INTEGER NOT NULL,
        leaves_out TEXT NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (source, start)) WITHOUT ROWID""",
    # What people call the ids that dimensions of the ledger have: `kind` is the dimension.
    """CREATE TABLE names (
        kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID""",
)

# What is known of each figure that is watched, as of the end of minute `until`, and what viewers wish for incidents.
WATCHED: tuple[str, ...] = (
    "CREATE TABLE watched (key TEXT PRIMARY KEY, until INTEGER NOT NULL, content TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE wishes (key TEXT PRIMARY KEY, state TEXT NOT NULL, ts REAL NOT NULL) WITHOUT ROWID",
)

# Who is told what, by channel (webhook, command). `state` is waiting, sent, failed or withdrawn; `batch` is the message
# that it goes or went out with, `tried` when that was last; `lasting` says that what it tells of goes on, until `ends`.
OUTBOX: tuple[str, ...] = (
    """CREATE TABLE outbox (
        id TEXT NOT NULL, channel TEXT NOT NULL, seq INTEGER NOT NULL, ts REAL NOT NULL, content TEXT NOT NULL,
        ends REAL, lasting INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, tried REAL,
        next_at REAL NOT NULL, batch TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (id, channel)) WITHOUT ROWID""",
)
