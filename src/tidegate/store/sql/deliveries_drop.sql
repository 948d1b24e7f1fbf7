-- Gives up what still waits for a route that is switched off.
-- Parameters: route, error. Locks: these deliveries. Rows: one a delivery.
UPDATE delivery
   SET next_at = NULL, error = %(error)s
 WHERE route_id = %(route)s AND next_at IS NOT NULL
