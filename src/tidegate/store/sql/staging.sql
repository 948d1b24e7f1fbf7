-- The tables of one Operation's applies: private to its connection, emptied at each commit, never written to the log.
-- staged: what was read; staged_part: its Families and Branches, and why what they lack closes; compared: what is new, changed or gone; incoming: the
-- new texts of what changed. walked: what one walk read for many Records; it stays for the connection's life, and each
-- Record takes its share from there.
-- Locks: none. Rows: none.
CREATE TEMP TABLE IF NOT EXISTS staged (
    turn smallint NOT NULL, part smallint NOT NULL, key_hash uuid NOT NULL, fingerprint uuid NOT NULL,
    severity smallint NOT NULL, verdict smallint NOT NULL, flags smallint NOT NULL,
    position bigint NOT NULL, length int NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS walked (
    record_id bigint NOT NULL, turn smallint NOT NULL, part smallint NOT NULL, key_hash uuid NOT NULL,
    fingerprint uuid NOT NULL, severity smallint NOT NULL, verdict smallint NOT NULL, flags smallint NOT NULL,
    position bigint NOT NULL, length int NOT NULL
);
CREATE INDEX IF NOT EXISTS walked_record ON walked (record_id);
CREATE TEMP TABLE IF NOT EXISTS staged_part (
    part smallint NOT NULL, family text COLLATE "C" NOT NULL, branch text COLLATE "C" NOT NULL, closes boolean NOT NULL,
    because text NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS compared (
    kind smallint NOT NULL, part smallint NOT NULL, finding_id bigint, key_hash uuid, fingerprint uuid,
    severity_vendor smallint, severity smallint, verdict smallint, active boolean, position bigint, length int,
    let_go boolean NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS incoming (
    finding_id bigint NOT NULL, key text NOT NULL, title text NOT NULL, fields jsonb NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_vep (
    turn smallint NOT NULL, odd boolean NOT NULL, n int NOT NULL, vendor_id text COLLATE "C" NOT NULL, name text NOT NULL,
    url text, parent text NOT NULL, attributes jsonb NOT NULL
) ON COMMIT DELETE ROWS
