-- What was delivered goes with its Destination, and with what it was made from; what stands there stays there.
ALTER TABLE delivered_product ADD CONSTRAINT delivered_product_destination
    FOREIGN KEY (destination_id) REFERENCES destination ON DELETE CASCADE;
ALTER TABLE delivered_product ADD CONSTRAINT delivered_product_product
    FOREIGN KEY (product_id) REFERENCES product ON DELETE CASCADE;
ALTER TABLE delivered_test ADD CONSTRAINT delivered_test_destination
    FOREIGN KEY (destination_id) REFERENCES destination ON DELETE CASCADE;
ALTER TABLE delivered_test ADD CONSTRAINT delivered_test_test
    FOREIGN KEY (test_id) REFERENCES test ON DELETE CASCADE;
ALTER TABLE delivered_finding ADD CONSTRAINT delivered_finding_delivered_test
    FOREIGN KEY (delivered_test_id) REFERENCES delivered_test ON DELETE CASCADE;
ALTER TABLE operation ADD CONSTRAINT operation_destination
    FOREIGN KEY (destination_id) REFERENCES destination ON DELETE CASCADE;
