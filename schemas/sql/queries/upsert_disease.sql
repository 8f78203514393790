-- name: upsert_disease
-- returns: nothing
-- params: code, name_vi, name_en, report_label_vi, report_order, agents, resolves_to in this order
-- used by: streams/stores/catalogue.py

insert into diseases (code, name_vi, name_en, report_label_vi, report_order, agents, resolves_to)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (code) do update
    set
        name_vi = excluded.name_vi,
        name_en = excluded.name_en,
        report_label_vi = excluded.report_label_vi,
        report_order = excluded.report_order,
        agents = excluded.agents,
        resolves_to = excluded.resolves_to;
