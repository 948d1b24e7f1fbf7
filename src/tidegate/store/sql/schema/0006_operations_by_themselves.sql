-- Foreign keys of schedules, news and counts, with their cascades; and what Connections of earlier versions lack.
ALTER TABLE schedule ADD CONSTRAINT schedule_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE route ADD CONSTRAINT route_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE outbox ADD CONSTRAINT outbox_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE outbox ADD CONSTRAINT outbox_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE delivery ADD CONSTRAINT delivery_news FOREIGN KEY (news_id) REFERENCES outbox ON DELETE CASCADE;
ALTER TABLE delivery ADD CONSTRAINT delivery_route FOREIGN KEY (route_id) REFERENCES route ON DELETE CASCADE;
ALTER TABLE open_day ADD CONSTRAINT open_day_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;

-- Daily is the default. The tick plans the first run; nobody loses the choice to switch it off before.
INSERT INTO schedule (connection_id, type, kind, at, changed_by)
SELECT connection.id, given.type, 'daily', given.at, 'upgrade'
  FROM connection CROSS JOIN (VALUES ('discover', '01:00'), ('sync', '02:00')) AS given (type, at)
 WHERE connection.deleted_at IS NULL;
