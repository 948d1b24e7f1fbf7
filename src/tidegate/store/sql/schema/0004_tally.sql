-- How many findings a Feed holds, kept by the database itself so that no writer can forget it. One row a Feed, Family,
-- Branch, severity, openness and activity; a Feed's Record is locked by every writer of its findings.
CREATE FUNCTION tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (feed_id, family, branch, severity, open, active, n)
    SELECT feed_id, family, branch, severity, open, active, count(*)
      FROM new_rows
     GROUP BY feed_id, family, branch, severity, open, active
        ON CONFLICT (feed_id, family, branch, severity, open, active) DO UPDATE SET n = tally.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (feed_id, family, branch, severity, open, active, n)
    SELECT feed_id, family, branch, severity, open, active, sum(n)
      FROM (
        SELECT feed_id, family, branch, severity, open, active, 1 AS n FROM new_rows
        UNION ALL
        SELECT feed_id, family, branch, severity, open, active, -1 FROM old_rows
      ) AS moved
     GROUP BY feed_id, family, branch, severity, open, active
    HAVING sum(n) <> 0
        ON CONFLICT (feed_id, family, branch, severity, open, active) DO UPDATE SET n = tally.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION tally_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tally SET n = tally.n - gone.n
      FROM (
        SELECT feed_id, family, branch, severity, open, active, count(*) AS n
          FROM old_rows
         GROUP BY feed_id, family, branch, severity, open, active
      ) AS gone
     WHERE (tally.feed_id, tally.family, tally.branch, tally.severity, tally.open, tally.active)
         = (gone.feed_id, gone.family, gone.branch, gone.severity, gone.open, gone.active);
    RETURN NULL;
END $$;

CREATE TRIGGER finding_tally_inserted AFTER INSERT ON finding
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_inserted();
CREATE TRIGGER finding_tally_updated AFTER UPDATE ON finding
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_updated();
CREATE TRIGGER finding_tally_deleted AFTER DELETE ON finding
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_deleted();
