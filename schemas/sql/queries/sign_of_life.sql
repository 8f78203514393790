-- name: sign_of_life
-- returns: nothing
-- params: name text, at timestamptz
-- used by: streams/stores/alerts.py, streams/stores/deliveries.py

insert into signs_of_life (name, at)
values (%(name)s, %(at)s)
on conflict (name) do update
    set at = excluded.at;
