-- A statement that gives a delivery the number of its change itself spares a second write of the row; every other gets it from here.
DROP TRIGGER deliveries_number_new;
CREATE TRIGGER deliveries_number_new AFTER INSERT ON deliveries WHEN NEW.change = 0
BEGIN
  UPDATE organizations SET last_change = last_change + 1 WHERE id = NEW.organization_id;
  UPDATE deliveries SET change = (SELECT last_change FROM organizations WHERE id = NEW.organization_id) WHERE id = NEW.id;
END;
DROP TRIGGER deliveries_number_changed;
CREATE TRIGGER deliveries_number_changed
AFTER UPDATE OF status, attempt_count, due_at, lease_token, url, http_status, duration_ms, completed_at ON deliveries
WHEN NEW.change = OLD.change
BEGIN
  UPDATE organizations SET last_change = last_change + 1 WHERE id = NEW.organization_id;
  UPDATE deliveries SET change = (SELECT last_change FROM organizations WHERE id = NEW.organization_id) WHERE id = NEW.id;
END;
