-- One row per disease of the catalogue, in the order of the report.
create view boards.diseases as
select
    d.code as disease,
    d.name_vi,
    d.name_en,
    d.report_order as place
from public.diseases as d;
