-- Grants go with whoever has them and with what they are for. The audit log is append-only, twice: the database's own
-- grants are taken from everybody, also from the owner of the table; and a trigger holds even a superuser.
ALTER TABLE token ADD CONSTRAINT token_user FOREIGN KEY (user_id) REFERENCES tidegate_user ON DELETE CASCADE;
ALTER TABLE role_grant ADD CONSTRAINT role_grant_user FOREIGN KEY (user_id) REFERENCES tidegate_user ON DELETE CASCADE;
ALTER TABLE role_grant ADD CONSTRAINT role_grant_token FOREIGN KEY (token_id) REFERENCES token ON DELETE CASCADE;
ALTER TABLE role_grant ADD CONSTRAINT role_grant_product_type
    FOREIGN KEY (product_type_id) REFERENCES product_type ON DELETE CASCADE;
ALTER TABLE role_grant ADD CONSTRAINT role_grant_product FOREIGN KEY (product_id) REFERENCES product ON DELETE CASCADE;
ALTER TABLE role_grant ADD CONSTRAINT role_grant_connection
    FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE answered_request ADD CONSTRAINT answered_request_user
    FOREIGN KEY (user_id) REFERENCES tidegate_user ON DELETE CASCADE;
ALTER TABLE tidegate_user ADD CONSTRAINT user_username CHECK (btrim(username) = username AND length(username) BETWEEN 1 AND 150);

REVOKE UPDATE, DELETE, TRUNCATE ON audit_line FROM PUBLIC, CURRENT_USER;

CREATE FUNCTION audit_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only: nothing in it is changed or deleted.'
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_line_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_line
    FOR EACH STATEMENT EXECUTE FUNCTION audit_line_stays();
