-- The first schema.
--
-- Tenancy: every table with a team_id (and teams itself) has row-level security ENABLED and FORCED. The service works
-- under the role onelap_app, which owns nothing and cannot bypass it, and sets per transaction
--   app.team       the team whose rows may be seen and written,
--   app.user       the person who asks, for the tables that tell which teams there are for them,
--   app.rig_token  the public part of a presented rig token, to find its team before the team is known.
-- users and refresh_tokens belong to people, not to teams.

do $$
begin
    create role onelap_app nologin nobypassrls;
exception
    -- Another database of this cluster has made it, perhaps at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if not pg_has_role(current_user, 'onelap_app', 'member') then
        execute format('grant onelap_app to %I', current_user);
    end if;
exception
    when unique_violation then null;
end
$$;

grant usage on schema public to onelap_app;
alter default privileges in schema public grant select, insert, update, delete on tables to onelap_app;
alter default privileges in schema public grant usage on sequences to onelap_app;

create function app_team() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.team', true), '')::uuid;
create function app_user() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.user', true), '')::uuid;

create table users (
    id            uuid primary key,
    email         text not null,
    name          text not null,
    password_hash text not null,
    created_at    timestamptz not null default now()
);
create unique index users_email on users (lower(email));

create table refresh_tokens (
    token_hash bytea primary key,
    user_id    uuid not null references users on delete cascade,
    family     uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    revoked_at timestamptz
);
create index refresh_tokens_user on refresh_tokens (user_id);
create index refresh_tokens_family on refresh_tokens (family);

create table teams (
    id         uuid primary key,
    name       text not null,
    created_at timestamptz not null default now()
);

create table team_members (
    team_id   uuid not null references teams on delete cascade,
    user_id   uuid not null references users on delete cascade,
    role      text not null check (role in ('owner', 'member')),
    joined_at timestamptz not null default now(),
    primary key (team_id, user_id)
);
create index team_members_user on team_members (user_id);

create table rigs (
    team_id    uuid not null references teams on delete cascade,
    id         uuid not null,
    name       text not null,
    created_at timestamptz not null default now(),
    primary key (team_id, id)
);
create unique index rigs_name on rigs (team_id, lower(name));

create table rig_tokens (
    team_id      uuid not null,
    id           uuid not null,
    rig_id       uuid not null,
    -- The part of the token that may be shown; the secret is kept as SHA-256 only.
    public_id    text not null unique,
    secret_hash  bytea not null,
    created_by   uuid references users on delete set null,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    primary key (team_id, id),
    foreign key (team_id, rig_id) references rigs on delete cascade
);
create index rig_tokens_rig on rig_tokens (team_id, rig_id);

create table sessions (
    team_id      uuid not null references teams on delete cascade,
    id           uuid not null,
    rig_id       uuid,
    -- protocol::race::SessionInfo, whole; the columns below are what lists are sorted and filtered by.
    info         jsonb not null,
    game         text not null,
    kind         text not null,
    track        text not null,
    car_name     text not null,
    class        text,
    driver       text not null,
    own_car      text not null,
    started_at   timestamptz not null,
    last_at      timestamptz not null,
    ended_at     timestamptz,
    end_reason   text,
    setup_hash   bytea,
    -- What is committed of the agent's stream: run of the agent and last sequence.
    epoch        bigint not null,
    sequence     bigint not null,
    -- State of the fold over the stream at that place (service: race::fold), so that any instance can carry on.
    checkpoint   jsonb not null,
    primary key (team_id, id),
    foreign key (team_id, rig_id) references rigs on delete set null (rig_id)
);
create index sessions_recent on sessions (team_id, started_at desc, id desc);
create index sessions_open on sessions (team_id, rig_id) where ended_at is null;

create table setups (
    team_id    uuid not null references teams on delete cascade,
    -- SHA-256 over the items (service: setups::content_hash).
    hash       bytea not null,
    setup      jsonb not null,
    created_at timestamptz not null default now(),
    primary key (team_id, hash)
);

create table session_setups (
    team_id    uuid not null,
    session_id uuid not null,
    epoch      bigint not null,
    sequence   bigint not null,
    at_s       double precision not null,
    hash       bytea not null,
    primary key (team_id, session_id, epoch, sequence),
    foreign key (team_id, session_id) references sessions on delete cascade,
    foreign key (team_id, hash) references setups
);

create table laps (
    team_id            uuid not null,
    session_id         uuid not null,
    car                text not null,
    lap                integer not null,
    own                boolean not null,
    driver             text not null,
    time_ms            integer,
    sector1_ms         integer,
    sector2_ms         integer,
    sector3_ms         integer,
    valid              boolean,
    out_lap            boolean not null,
    in_lap             boolean not null,
    position           integer,
    class_position     integer,
    class              text,
    number             text,
    at_s               double precision not null,
    fuel_l             real,
    fuel_kg            real,
    virtual_energy_pct real,
    -- Used on this lap, where both lines were seen and nothing was filled in between.
    fuel_used_l        real,
    fuel_used_kg       real,
    virtual_energy_used_pct real,
    compound           text,
    -- Percent worn, FL FR RL RR.
    tire_wear_pct      real[],
    stint              integer not null,
    primary key (team_id, session_id, car, lap),
    foreign key (team_id, session_id) references sessions on delete cascade
);

create table stints (
    team_id    uuid not null,
    session_id uuid not null,
    car        text not null,
    stint      integer not null,
    own        boolean not null,
    driver     text not null,
    first_lap  integer not null,
    last_lap   integer not null,
    laps       integer not null,
    compound   text,
    best_ms    integer,
    -- Best of the laps that count; mean of those that are neither in- nor out-laps.
    mean_ms    integer,
    primary key (team_id, session_id, car, stint),
    foreign key (team_id, session_id) references sessions on delete cascade
);

create table pit_stops (
    team_id       uuid not null,
    session_id    uuid not null,
    car           text not null,
    stop          integer not null,
    own           boolean not null,
    lap           integer not null,
    driver_in     text,
    driver_out    text,
    entered_s     double precision,
    stopped_s     double precision,
    released_s    double precision,
    exited_s      double precision,
    fuel_in_l     real,
    fuel_out_l    real,
    virtual_energy_in_pct  real,
    virtual_energy_out_pct real,
    compound_in   text,
    compound_out  text,
    primary key (team_id, session_id, car, stop),
    foreign key (team_id, session_id) references sessions on delete cascade
);

create table driver_changes (
    team_id     uuid not null,
    session_id  uuid not null,
    car         text not null,
    lap         integer not null,
    at_s        double precision not null,
    own         boolean not null,
    from_driver text not null,
    to_driver   text not null,
    primary key (team_id, session_id, car, at_s),
    foreign key (team_id, session_id) references sessions on delete cascade
);

-- Phases and notes: what happened and is neither a lap nor a pit step nor a driver change.
create table notes (
    team_id    uuid not null,
    session_id uuid not null,
    epoch      bigint not null,
    sequence   bigint not null,
    at_s       double precision not null,
    -- protocol::race::RaceEvent
    event      jsonb not null,
    primary key (team_id, session_id, epoch, sequence),
    foreign key (team_id, session_id) references sessions on delete cascade
);

-- Samples of our car: some seconds by column, quantised and compressed (service: recorder::chunk).
create table chunks (
    team_id        uuid not null,
    session_id     uuid not null,
    epoch          bigint not null,
    first_sequence bigint not null,
    last_sequence  bigint not null,
    lap_from       integer,
    lap_to         integer,
    samples        integer not null,
    data           bytea not null,
    primary key (team_id, session_id, epoch, first_sequence),
    foreign key (team_id, session_id) references sessions on delete cascade
);
-- Compressed already.
alter table chunks alter column data set storage external;

-- Row-level security, enabled and forced, on everything that belongs to a team.
do $$
declare
    t text;
begin
    foreach t in array array['team_members', 'rigs', 'rig_tokens', 'sessions', 'setups', 'session_setups', 'laps',
                             'stints', 'pit_stops', 'driver_changes', 'notes', 'chunks']
    loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy tenant on %I using (team_id = (select app_team())) '
                       'with check (team_id = (select app_team()))', t);
    end loop;
end
$$;
alter table teams enable row level security;
alter table teams force row level security;
create policy tenant on teams using (id = (select app_team())) with check (id = (select app_team()));

-- A person sees their own memberships, and the names of the teams that these lead to.
create policy own_membership on team_members for select using (user_id = (select app_user()));
create policy own_teams on teams for select
    using (exists (select 1 from team_members m where m.team_id = teams.id and m.user_id = (select app_user())));
-- Whoever presents a token may see that token's row, to have it checked.
create policy presented on rig_tokens for select
    using (public_id = nullif(current_setting('app.rig_token', true), ''));
