-- The payload, where 'NA' says that a value is missing; and where the row came from.
SELECT nullif(COLUMNS('^[a-z]'), 'NA'), _source_offset
FROM {df}
