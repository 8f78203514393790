-- name: keep_catalogue_content
-- returns: nothing
-- params: load_id int; reads what the load put in force from the tables of the catalogue
-- used by: streams/stores/catalogue.py

update catalogue_loads
set
    content = jsonb_build_object(
        'diseases', (select coalesce(jsonb_agg(to_jsonb(d)), '[]') from diseases as d),
        'areas', (select coalesce(jsonb_agg(to_jsonb(a)), '[]') from areas as a),
        'area_geographies', (select coalesce(jsonb_agg(to_jsonb(ag)), '[]') from area_geographies as ag),
        'case_reports_since', (select coalesce(jsonb_agg(to_jsonb(crs)), '[]') from case_reports_since as crs)
    )
where load_id = %(load_id)s;
