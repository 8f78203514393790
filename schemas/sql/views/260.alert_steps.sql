-- One row per step in the life of an alert: what happened and when; who did it and what they noted is not shown.
create view boards.alert_steps as
select
    ae.alert_id,
    ae.number,
    ae.at,
    ae.kind,
    ae.actor = 'system' as is_automatic
from public.alert_events as ae;
