-- One row per rule that was ever in force, under its newest name, and per detector of weekly counts.
create view boards.rules as
select distinct on (named.rule)
    named.rule,
    named.name_vi,
    named.name_en
from (
    select
        arl.load_id,
        content_rules.rule ->> 'id' as rule,
        content_rules.rule ->> 'name_vi' as name_vi,
        content_rules.rule ->> 'name_en' as name_en
    from public.alert_rule_loads as arl
    cross join lateral jsonb_array_elements(arl.content -> 'rules') as content_rules (rule)
    union all
    select
        0 as load_id,
        detectors.rule,
        detectors.name_vi,
        detectors.name_en
    from (
        values
        ('detector_ears_c1', 'Số ca tuần bất thường (EARS C1)', 'Unusual weekly count (EARS C1)'),
        ('detector_ears_c2', 'Số ca tuần bất thường (EARS C2)', 'Unusual weekly count (EARS C2)'),
        ('detector_bayes', 'Số ca tuần bất thường (Bayes)', 'Unusual weekly count (Bayes)'),
        (
            'detector_farrington_flexible',
            'Số ca tuần bất thường (Farrington linh hoạt)',
            'Unusual weekly count (Farrington flexible)'
        )
    ) as detectors (rule, name_vi, name_en)
) as named
order by named.rule asc, named.load_id desc;
