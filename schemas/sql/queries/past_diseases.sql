-- name: past_diseases
-- returns: nothing
-- params: load_id int; writes the temporary table diseases
-- used by: streams/stores/catalogue.py

insert into pg_temp.diseases (
    code,
    name_vi,
    name_en,
    report_label_vi,
    report_order,
    agents,
    resolves_to
)
select
    p.code,
    p.name_vi,
    p.name_en,
    p.report_label_vi,
    p.report_order,
    p.agents,
    p.resolves_to
from catalogue_loads as cl
cross join lateral jsonb_populate_recordset(null::diseases, cl.content -> 'diseases') as p
where cl.load_id = %(load_id)s;
