-- name: upsert_board_nowcast
-- returns: nothing
-- params: province text, disease text, week_start date, counted int, nowcast double precision or null, lower int or null, upper int or null, computed_at timestamptz
-- used by: streams/stores/boards.py

insert into board_nowcasts (province, disease, week_start, counted, nowcast, lower, upper, computed_at)
values (
    %(province)s, %(disease)s, %(week_start)s, %(counted)s, %(nowcast)s, %(lower)s, %(upper)s, %(computed_at)s
)
on conflict (province, disease, week_start) do update
    set
        counted = excluded.counted,
        nowcast = excluded.nowcast,
        lower = excluded.lower,
        upper = excluded.upper,
        computed_at = excluded.computed_at;
