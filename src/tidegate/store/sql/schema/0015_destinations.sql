-- Routes go with their Destination, and with what they are for.
ALTER TABLE destination_route ADD CONSTRAINT destination_route_destination
    FOREIGN KEY (destination_id) REFERENCES destination ON DELETE CASCADE;
ALTER TABLE destination_route ADD CONSTRAINT destination_route_connection
    FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;
ALTER TABLE destination_route ADD CONSTRAINT destination_route_product_type
    FOREIGN KEY (product_type_id) REFERENCES product_type ON DELETE CASCADE;
ALTER TABLE destination ADD CONSTRAINT destination_settings CHECK (jsonb_typeof(settings) = 'object');
