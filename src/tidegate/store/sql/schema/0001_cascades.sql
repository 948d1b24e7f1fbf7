-- Foreign keys with their cascades. Django's own cascades run in Python and would load a million rows.
ALTER TABLE product ADD CONSTRAINT product_product_type FOREIGN KEY (product_type_id) REFERENCES product_type ON DELETE RESTRICT;
ALTER TABLE engagement ADD CONSTRAINT engagement_product FOREIGN KEY (product_id) REFERENCES product ON DELETE CASCADE;
ALTER TABLE connection ADD CONSTRAINT connection_product_type FOREIGN KEY (product_type_id) REFERENCES product_type ON DELETE SET NULL;
ALTER TABLE test ADD CONSTRAINT test_engagement FOREIGN KEY (engagement_id) REFERENCES engagement ON DELETE CASCADE;
ALTER TABLE test ADD CONSTRAINT test_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE RESTRICT;
ALTER TABLE operation ADD CONSTRAINT operation_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE RESTRICT;
ALTER TABLE record ADD CONSTRAINT record_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE RESTRICT;
ALTER TABLE record ADD CONSTRAINT record_first_seen FOREIGN KEY (first_seen_operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE record ADD CONSTRAINT record_absent FOREIGN KEY (absent_operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE feed ADD CONSTRAINT feed_record FOREIGN KEY (record_id) REFERENCES record ON DELETE RESTRICT;
ALTER TABLE feed ADD CONSTRAINT feed_test FOREIGN KEY (test_id) REFERENCES test ON DELETE CASCADE;
ALTER TABLE record ADD CONSTRAINT record_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE SET NULL;
ALTER TABLE record ADD CONSTRAINT record_earlier_product FOREIGN KEY (earlier_product_id) REFERENCES product ON DELETE SET NULL;
ALTER TABLE record_history ADD CONSTRAINT record_history_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;
ALTER TABLE record_history ADD CONSTRAINT record_history_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE held_absence ADD CONSTRAINT held_absence_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;
ALTER TABLE held_absence ADD CONSTRAINT held_absence_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE held_absence ADD CONSTRAINT held_absence_since FOREIGN KEY (since_operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE held_absence ADD CONSTRAINT held_absence_latest FOREIGN KEY (latest_operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE part ADD CONSTRAINT part_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE CASCADE;
ALTER TABLE part ADD CONSTRAINT part_proven FOREIGN KEY (proven_operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE part ADD CONSTRAINT part_last FOREIGN KEY (last_operation_id) REFERENCES operation ON DELETE SET NULL;
ALTER TABLE tally ADD CONSTRAINT tally_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE CASCADE;
ALTER TABLE decision ADD CONSTRAINT decision_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE CASCADE;
ALTER TABLE journal ADD CONSTRAINT journal_finding FOREIGN KEY (finding_id) REFERENCES finding ON DELETE CASCADE;
ALTER TABLE held ADD CONSTRAINT held_finding FOREIGN KEY (finding_id) REFERENCES finding ON DELETE CASCADE;
ALTER TABLE held ADD CONSTRAINT held_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE CASCADE;
ALTER TABLE lease ADD CONSTRAINT lease_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE result ADD CONSTRAINT result_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE result ADD CONSTRAINT result_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_connection FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;
ALTER TABLE log_line ADD CONSTRAINT log_line_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE CASCADE;

-- Names of Products and Product Types: trimmed, NFC, 1 to 255 characters.
ALTER TABLE product ADD CONSTRAINT product_name
    CHECK (char_length(name) BETWEEN 1 AND 255 AND name = btrim(name) AND name IS NFC NORMALIZED);
ALTER TABLE product_type ADD CONSTRAINT product_type_name
    CHECK (char_length(name) BETWEEN 1 AND 255 AND name = btrim(name) AND name IS NFC NORMALIZED);

-- What is read as an object is one, whoever writes it.
ALTER TABLE connection ADD CONSTRAINT connection_settings CHECK (jsonb_typeof(settings) = 'object');
ALTER TABLE record ADD CONSTRAINT record_attributes CHECK (jsonb_typeof(attributes) = 'object');
