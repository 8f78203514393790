-- name: import_twins
-- returns: subject, disease and external ids (an object of system → code) of every case that counts and carries one that its subject is not made of
-- params: system text, prefix text (the subject of the system's own cases is this and the code)
-- used by: streams/stores/imports.py

select
    c.subject,
    c.counted_disease as disease,
    c.registers -> 'external_ids' -> 1 as external_ids
from cases as c
where
    c.counted_disease is not null
    and jsonb_typeof(c.registers -> 'external_ids' -> 1) = 'object'
    and c.registers -> 'external_ids' -> 1
    is distinct from jsonb_build_object(
        %(system)s::text, case
            when starts_with(c.subject, %(prefix)s) then substr(c.subject, length(%(prefix)s) + 1)
        end
    );
