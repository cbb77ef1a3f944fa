-- From Postgres 16 on, whoever creates a role is a member that may administer it and may not become it: membership
-- alone, which the first migration asks for, is not enough for the service's "set role onelap_app".
do $$
begin
    -- Older servers do not know the privilege's name, and need none of this.
    if current_setting('server_version_num')::int >= 160000 then
        if not pg_has_role(current_user, 'onelap_app', 'SET') then
            execute format('grant onelap_app to %I with set true', current_user);
        end if;
    end if;
exception
    -- Another database of this cluster does the same at this moment.
    when unique_violation then null;
end
$$;
