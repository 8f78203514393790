-- One row per local day, topic and kind of error: records that could not be used, and how many still wait.
create view boards.dead_letter_days as
select
    (dl.known_at at time zone 'Asia/Ho_Chi_Minh')::date as day,
    dl.topic,
    dl.error,
    count(*)::int as letters,
    (count(*) filter (where dl.retried_at is null))::int as waiting
from public.dead_letters as dl
group by 1, 2, 3;
