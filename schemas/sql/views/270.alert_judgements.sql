-- One row per structure of areas and alert: what people last said of it (verified, dismissed, or null).
create view boards.alert_judgements as
select
    a.structure_on,
    a.province,
    a.district,
    a.alert_id,
    a.rule,
    a.disease,
    a.raised_at,
    (
        select case ae.kind when 'determined' then 'verified' else ae.kind end
        from public.alert_events as ae
        where
            ae.alert_id = a.alert_id
            and ae.kind in ('verified', 'determined', 'dismissed')
        order by ae.number desc
        limit 1
    ) as said,
    (
        select extract(epoch from min(ae.at) - a.raised_at)::double precision
        from public.alert_events as ae
        where
            ae.alert_id = a.alert_id
            and ae.kind in ('acknowledged', 'verified', 'dismissed')
    ) as answered_seconds
from boards.alerts as a;
