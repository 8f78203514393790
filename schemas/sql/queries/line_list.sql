-- name: line_list
-- returns: one row per case that counts: its subject, disease, registers, and the ids of its areas; by day, then subject
-- params: structure_on date, area_ids text[] or null (everywhere), disease text or null, first and last date (of onset, else of report), most int
-- used by: streams/stores/line_list.py

select
    c.subject,
    c.counted_disease as disease,
    c.registers,
    c.counted_area_id as area_id,
    ag.province_id,
    ag.district_id,
    ag.commune_id
from cases as c
inner join area_geographies as ag
    on
        c.counted_area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    c.counted_disease is not null
    and c.counted_onset_day between %(first)s and %(last)s
    and (%(disease)s::text is null or c.counted_disease = %(disease)s)
    and (%(area_ids)s::text[] is null or c.counted_area_id = any(%(area_ids)s))
order by c.counted_onset_day, c.subject
limit %(most)s;
