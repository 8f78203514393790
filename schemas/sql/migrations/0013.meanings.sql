-- Meanings: what a doubtful text in an imported file means, decided once by a person.
-- Applied once, in one transaction; never edited after merge.

create table import_meanings (
    field text collate "C" not null check (field in ('disease', 'area_code')),
    -- services/importing/codes.py, meaning_key: equal for spellings that are one question.
    text_key text collate "C" not null,
    -- As it stood in the file; only texts that resemble names of the catalogue are kept.
    text text not null,
    -- [[code, name, day on which an area's code means it]], the likeliest first.
    candidates jsonb not null,
    -- Rows of the last file that waited for the answer.
    waiting_rows int not null,
    asked_at timestamptz not null,
    -- A disease's code or an area's id; null: nobody has decided.
    code text collate "C",
    decided_at timestamptz,
    decided_by text,
    primary key (field, text_key),
    check ((code is null) = (decided_at is null) and (code is null) = (decided_by is null))
);
