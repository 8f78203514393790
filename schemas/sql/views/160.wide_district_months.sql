-- One row per district, disease and month of onset with a case, for wider viewers: no count below five.
-- One grain and one structure of areas only, so that nothing can be taken from something else. `notified` is null
-- where it is 1 to 4, and in the next smallest district where that would be the only one: the province's total,
-- known from elsewhere, would give it away. `deaths` is null below 5, also where there was none.
create view boards.wide_district_months as
with months as (
    select
        dc.province,
        dc.district,
        dc.disease,
        date_trunc('month', dc.day)::date as month_start,
        sum(dc.notified)::int as notified,
        sum(dc.deaths)::int as deaths
    from boards.daily_counts as dc
    where
        dc.structure_on = (
            select max(s.structure_on) from boards.structures as s
            where s.structure_on <= current_date
        )
        and dc.basis = 'onset'
    group by dc.province, dc.district, dc.disease, date_trunc('month', dc.day)::date
    having sum(dc.notified) > 0
),

marked as (
    select
        m.*,
        m.notified < 5 as is_small,
        count(*) filter (where m.notified < 5) over (partition by m.province, m.disease, m.month_start)
            as small_districts,
        row_number() over (
            partition by m.province, m.disease, m.month_start, m.notified < 5
            order by m.notified, m.district
        ) as place
    from months as m
)

select
    k.province,
    k.district,
    k.disease,
    k.month_start,
    k.is_small or (k.small_districts = 1 and k.place = 1) as is_suppressed,
    case when not (k.is_small or (k.small_districts = 1 and k.place = 1)) then k.notified end as notified,
    case
        when not (k.is_small or (k.small_districts = 1 and k.place = 1)) and k.deaths >= 5
            then k.deaths
    end as deaths
from marked as k;
