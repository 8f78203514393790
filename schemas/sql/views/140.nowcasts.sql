-- One row per province, disease and ISO week: what is counted, and what will be once all reports are in.
create view boards.nowcasts as
select
    bn.province,
    bn.disease,
    bn.week_start,
    bn.counted,
    bn.nowcast,
    bn.lower,
    bn.upper,
    bn.computed_at
from public.board_nowcasts as bn;
