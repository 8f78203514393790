-- name: staff_accounts
-- returns: one row per account that fits every parameter given, by username
-- params: person_id uuid or null, username text or null, oidc_subject text or null
-- used by: services/intake/people/store.py

select
    p.person_id,
    p.username,
    p.name,
    p.role,
    p.facility,
    p.area_codes,
    p.language,
    p.password_hash,
    p.must_change_password,
    p.totp_secret,
    p.is_disabled,
    p.oidc_subject,
    p.last_seen_at
from people as p
where
    (%(person_id)s::uuid is null or p.person_id = %(person_id)s)
    and (%(username)s::text is null or p.username = %(username)s)
    and (%(oidc_subject)s::text is null or p.oidc_subject = %(oidc_subject)s)
order by p.username;
