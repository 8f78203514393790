-- One row per basis: the day of a case's life on which it is counted.
create view boards.bases as
select
    b.basis,
    b.name_vi,
    b.name_en,
    b.place
from (
    values
    ('onset', 'Ngày khởi phát', 'Day of onset', 1),
    ('report', 'Ngày báo cáo', 'Day of report', 2),
    ('death', 'Ngày tử vong', 'Day of death', 3)
) as b (basis, name_vi, name_en, place);
