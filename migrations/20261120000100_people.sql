-- People: confirmed addresses, log-ins that can be listed and ended, a second factor, links by mail.
--
-- These tables belong to people, not to teams, as users and refresh_tokens do: no team_id, no row-level security.

alter table users
    -- Null: nobody has shown yet that they read this mailbox.
    add column email_verified_at   timestamptz,
    add column password_changed_at timestamptz not null default now(),
    -- Sealed (service: auth::seal). Without totp_since it was begun and is not asked for yet.
    add column totp_secret         bytea,
    add column totp_since          timestamptz,
    -- The step of the last code that was taken: no code is good twice.
    add column totp_last_step      bigint;

-- One row per log-in of a browser: what refresh_tokens calls a family.
create table logins (
    id               uuid primary key,
    user_id          uuid not null references users on delete cascade,
    device           text not null,
    -- The network that it was opened from; not the whole address.
    address          text not null,
    created_at       timestamptz not null default now(),
    last_used_at     timestamptz not null default now(),
    -- When a password, and the second factor where there is one, was last shown.
    authenticated_at timestamptz not null default now(),
    ended_at         timestamptz
);
create index logins_user on logins (user_id);

insert into logins (id, user_id, device, address, created_at, last_used_at, authenticated_at)
select family, user_id, 'a browser', '', min(created_at), max(created_at), min(created_at)
from refresh_tokens where revoked_at is null group by family, user_id;

-- What every instance has to hear of within seconds; kept for as long as access tokens live. No reference to logins: a deleted account's
-- log-ins have ended too.
create table login_ends (
    login    uuid primary key,
    ended_at timestamptz not null default clock_timestamp()
);
create index login_ends_recent on login_ends (ended_at);

create table recovery_codes (
    user_id   uuid not null references users on delete cascade,
    code_hash bytea not null,
    used_at   timestamptz,
    primary key (user_id, code_hash)
);

-- Links that were mailed to somebody who has an account: good once, then the row is gone.
create table mail_links (
    token_hash bytea primary key,
    user_id    uuid not null references users on delete cascade,
    purpose    text not null check (purpose in ('verify', 'change_email', 'reset')),
    -- The address that the link was sent to.
    email      text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index mail_links_user on mail_links (user_id, purpose);

-- Sign-ups that wait for their link. Nobody has an account before they have shown that the address is theirs.
create table signups (
    token_hash    bytea primary key,
    email         text not null,
    name          text not null,
    password_hash text not null,
    team_name     text,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null
);
create index signups_email on signups (lower(email));
create index signups_expired on signups (expires_at);
