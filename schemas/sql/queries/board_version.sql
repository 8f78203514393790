-- name: board_version
-- returns: one row: of what something was made; none where it never was
-- params: name text
-- used by: streams/stores/boards.py

select bv.version
from board_versions as bv
where bv.name = %(name)s;
