-- Roles, and what a team is managed by: invitations, shares, API keys, pairing by code, the audit log.
--
-- Settings of a transaction, besides those of the first migration:
--   app.secret     SHA-256 (hex) of a secret that somebody presented: shows the one row that it belongs to,
--   app.api_key    the public part of a presented API key,
--   app.all_teams  "on": shows which teams there are (teams alone, nothing of theirs); operators and the purge.

-- "member" could do everything but manage members: that is what an engineer is.
-- Forced row-level security binds the owner, too: without this the update would find no row.
alter table team_members no force row level security;
alter table team_members drop constraint team_members_role_check;
update team_members set role = 'engineer' where role = 'member';
alter table team_members add constraint team_members_role_check check (role in ('owner', 'engineer', 'driver', 'viewer'));
alter table team_members force row level security;

alter table teams
    -- Asked to be deleted: purged after this moment, unless that is taken back.
    add column delete_after    timestamptz,
    -- Switched off by an operator, and why.
    add column disabled_at     timestamptz,
    add column disabled_reason text;

alter table rig_tokens
    add column expires_at     timestamptz,
    -- Address of the last use.
    add column last_used_from text;

create function app_secret() returns bytea language sql stable parallel safe
    return decode(nullif(current_setting('app.secret', true), ''), 'hex');
create function app_all_teams() returns boolean language sql stable parallel safe
    return coalesce(current_setting('app.all_teams', true), '') = 'on';

create policy all_teams on teams for select using ((select app_all_teams()));

create table invitations (
    team_id     uuid not null references teams on delete cascade,
    id          uuid not null,
    secret_hash bytea not null unique,
    role        text not null check (role in ('owner', 'engineer', 'driver', 'viewer')),
    -- The address that it was sent to; without one, whoever has the link may take it.
    email       text,
    created_by  uuid references users on delete set null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    accepted_by uuid references users on delete set null,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    primary key (team_id, id)
);

create table shares (
    team_id        uuid not null references teams on delete cascade,
    id             uuid not null,
    secret_hash    bytea not null unique,
    name           text not null,
    kind           text not null check (kind in ('session', 'rig', 'team')),
    session_id     uuid,
    rig_id         uuid,
    shows_history  boolean not null,
    shows_setup    boolean not null,
    delay_s        integer not null check (delay_s between 0 and 600),
    -- argon2id; absent where the link alone is enough.
    password_hash  text,
    created_by     uuid references users on delete set null,
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    primary key (team_id, id),
    foreign key (team_id, session_id) references sessions on delete cascade,
    foreign key (team_id, rig_id) references rigs on delete cascade,
    check ((kind = 'session') = (session_id is not null)),
    check ((kind = 'rig') = (rig_id is not null))
);

-- Browsers that opened a share: what their cookie's secret is found by.
create table share_visits (
    team_id     uuid not null,
    id          uuid not null,
    share_id    uuid not null,
    secret_hash bytea not null unique,
    opened_at   timestamptz not null default now(),
    -- When its socket was last seen open.
    watched_at  timestamptz,
    primary key (team_id, id),
    foreign key (team_id, share_id) references shares on delete cascade
);
create index share_visits_share on share_visits (team_id, share_id);

create table api_keys (
    team_id        uuid not null references teams on delete cascade,
    id             uuid not null,
    name           text not null,
    public_id      text not null unique,
    secret_hash    bytea not null,
    scopes         text[] not null check (scopes <@ array['read_live', 'read_history', 'read_setups'] and scopes <> '{}'),
    created_by     uuid references users on delete set null,
    created_at     timestamptz not null default now(),
    expires_at     timestamptz,
    last_used_at   timestamptz,
    last_used_from text,
    revoked_at     timestamptz,
    primary key (team_id, id)
);

-- Who did what to whom, from where, when. The actor is no foreign key: an account that is deleted takes nothing out of it.
create table audit_log (
    team_id      uuid not null references teams on delete cascade,
    id           uuid not null,
    at           timestamptz not null default now(),
    actor_kind   text not null check (actor_kind in ('person', 'operator', 'service')),
    actor_id     uuid,
    action       text not null,
    subject_kind text,
    subject_id   uuid,
    detail       jsonb not null default '{}',
    address      text not null,
    trace        text not null,
    primary key (team_id, id)
);
create index audit_log_recent on audit_log (team_id, at desc, id desc);
-- What was written stays as it was written. (A team that is purged takes its log along, by its foreign key.)
revoke update, delete, truncate on audit_log from onelap_app;

do $$
declare
    t text;
begin
    foreach t in array array['invitations', 'shares', 'share_visits', 'api_keys', 'audit_log']
    loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy tenant on %I using (team_id = (select app_team())) '
                       'with check (team_id = (select app_team()))', t);
    end loop;
end
$$;
-- Whoever presents a secret may see the row that it belongs to, to have it checked.
create policy presented on invitations for select using (secret_hash = (select app_secret()));
create policy presented on shares for select using (secret_hash = (select app_secret()));
create policy presented on share_visits for select using (secret_hash = (select app_secret()));
create policy presented on api_keys for select
    using (public_id = nullif(current_setting('app.api_key', true), ''));

-- Agents that wait for a member's approval (RFC 8628). No team's until one approves: found by either of its two codes.
create table pairings (
    device_hash bytea primary key,
    code_hash   bytea not null unique,
    -- What the agent calls its machine.
    name        text not null,
    address     text not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    polled_at   timestamptz,
    interval_s  integer not null,
    state       text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'collected')),
    team        uuid references teams on delete cascade,
    rig         uuid,
    decided_by  uuid references users on delete set null
);
alter table pairings enable row level security;
alter table pairings force row level security;
create policy presented on pairings
    using ((select app_secret()) in (device_hash, code_hash))
    with check ((select app_secret()) in (device_hash, code_hash));
create policy expired on pairings for select using (expires_at < now() - interval '1 hour');
create policy expired_go on pairings for delete using (expires_at < now() - interval '1 hour');
create index pairings_expired on pairings (expires_at);

-- Teams whose credentials or memberships changed a moment ago, so that every instance looks at its open sockets again.
-- Nothing of a team is in it, and nobody's rights follow from it.
create table authority_changes (
    id   bigint generated always as identity primary key,
    team uuid not null,
    at   timestamptz not null default clock_timestamp()
);
create index authority_changes_at on authority_changes (at);

create function note_authority_change() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'teams' then
        insert into authority_changes (team) values (old.id);
    else
        insert into authority_changes (team) values (old.team_id);
    end if;
    return null;
end
$$;
create trigger authority after update of role or delete on team_members
    for each row execute function note_authority_change();
create trigger authority after update of disabled_at or delete on teams
    for each row execute function note_authority_change();
create trigger authority after update of revoked_at, expires_at or delete on rig_tokens
    for each row execute function note_authority_change();
create trigger authority after update of revoked_at or delete on shares
    for each row execute function note_authority_change();
create trigger authority after update of revoked_at or delete on api_keys
    for each row execute function note_authority_change();
