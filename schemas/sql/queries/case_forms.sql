-- name: case_forms
-- returns: one row per case that counts: codes of what it is grouped by, its day on the basis, and its registers
-- params: structure_on date, basis text (onset or report), disease text or null, province_id and district_id text or null, first and last date or null
-- used by: streams/stores/completeness.py

select
    c.counted_disease as disease,
    ag.province_id,
    ag.district_id,
    ag.commune_id,
    coalesce(
        c.registers -> 'reporting_facility' ->> 1,
        (
            select regexp_replace(ce.source, '^/facilities/', '')
            from case_events as ce
            where
                ce.subject = c.subject
                and ce.event_type = 'vn.canhdich.case.reported.v1'
            order by ce.known_at
            limit 1
        )
    ) as facility,
    case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end as day,
    c.registers
from cases as c
inner join area_geographies as ag
    on
        c.counted_area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    c.counted_disease is not null
    and (%(disease)s::text is null or c.counted_disease = %(disease)s)
    and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
    and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
    and (
        %(first)s::date is null
        or (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) >= %(first)s
    )
    and (
        %(last)s::date is null
        or (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) <= %(last)s
    );
