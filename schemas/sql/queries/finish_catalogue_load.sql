-- name: finish_catalogue_load
-- returns: nothing
-- params: load_id int, refolded_events int, refolded_cases int
-- used by: streams/stores/catalogue.py

update catalogue_loads
set
    refolded_events = %(refolded_events)s,
    refolded_cases = %(refolded_cases)s
where load_id = %(load_id)s;
