-- In which state the Records of each Connection are, kept as what came through it is (0008_search): rows that only come, and
-- are added up some time later. A hundred thousand Records cost a page ten milliseconds to count by an index. No foreign
-- key: it would make whoever decides about a Record wait for who holds its Connection. A Connection that has Records stays;
-- the rows of one that had some add up to nothing.
--
-- `rules.record.state` said in SQL, absence before a lost target, as there; but for what is lost at a Destination, which no
-- Record knows. Null for one that was deleted.
CREATE FUNCTION record_state(decision text, absent_since timestamptz, target_lost_at timestamptz, deleted_at timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN deleted_at IS NOT NULL THEN NULL
    WHEN decision = 'undecided' THEN 'new'
    WHEN decision = 'ignored' THEN 'ignored'
    WHEN absent_since IS NOT NULL THEN 'missing'
    WHEN target_lost_at IS NOT NULL THEN 'stale'
    ELSE 'good'
END;

CREATE FUNCTION record_tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_tally (connection_id, state, n)
    SELECT came.connection_id, came.state, count(*)
      FROM (SELECT connection_id, record_state(decision, absent_since, target_lost_at, deleted_at) AS state
              FROM new_rows) AS came
     WHERE came.state IS NOT NULL
     GROUP BY 1, 2;
    RETURN NULL;
END $$;

CREATE FUNCTION record_tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_tally (connection_id, state, n)
    SELECT moved.connection_id, moved.state, sum(moved.n)
      FROM (
        SELECT connection_id, record_state(decision, absent_since, target_lost_at, deleted_at) AS state, 1 AS n
          FROM new_rows
        UNION ALL
        SELECT connection_id, record_state(decision, absent_since, target_lost_at, deleted_at), -1 FROM old_rows
      ) AS moved
     WHERE moved.state IS NOT NULL
     GROUP BY 1, 2
    HAVING sum(moved.n) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION record_tally_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_tally (connection_id, state, n)
    SELECT went.connection_id, went.state, -count(*)
      FROM (SELECT connection_id, record_state(decision, absent_since, target_lost_at, deleted_at) AS state
              FROM old_rows) AS went
     WHERE went.state IS NOT NULL
     GROUP BY 1, 2;
    RETURN NULL;
END $$;

CREATE TRIGGER record_tally_inserted AFTER INSERT ON record
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_tally_inserted();
CREATE TRIGGER record_tally_updated AFTER UPDATE ON record
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_tally_updated();
CREATE TRIGGER record_tally_deleted AFTER DELETE ON record
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION record_tally_deleted();

INSERT INTO record_tally (connection_id, state, n)
SELECT there.connection_id, there.state, count(*)
  FROM (SELECT connection_id, record_state(decision, absent_since, target_lost_at, deleted_at) AS state FROM record) AS there
 WHERE there.state IS NOT NULL
 GROUP BY 1, 2;
