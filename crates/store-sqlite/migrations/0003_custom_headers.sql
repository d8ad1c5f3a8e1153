-- Custom headers, sealed as a whole, and their names in their order, by commas: names are no secret.
ALTER TABLE webhooks ADD COLUMN headers BLOB;
ALTER TABLE webhooks ADD COLUMN header_names TEXT NOT NULL DEFAULT '';
