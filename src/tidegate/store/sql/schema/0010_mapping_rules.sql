-- Rules and turned down suggestions go with what they are about. A rule whose Product is deleted stays, and says so.
ALTER TABLE mapping_rule ADD CONSTRAINT mapping_rule_connection
    FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE mapping_rule ADD CONSTRAINT mapping_rule_product FOREIGN KEY (product_id) REFERENCES product ON DELETE SET NULL;
ALTER TABLE relink_dismissed ADD CONSTRAINT relink_dismissed_missing
    FOREIGN KEY (missing_id) REFERENCES record ON DELETE CASCADE;
ALTER TABLE relink_dismissed ADD CONSTRAINT relink_dismissed_candidate
    FOREIGN KEY (candidate_id) REFERENCES record ON DELETE CASCADE;
