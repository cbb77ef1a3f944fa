#!/bin/bash
# Run once by the postgres image on an empty volume: the role that the service migrates under, and its database.
# It is no superuser; CREATEROLE lets the first migration make onelap_app, the role that requests run under.
set -euo pipefail

psql -v ON_ERROR_STOP=1 -v password="$ONELAP_DB_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE onelap_owner LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
CREATE DATABASE onelap OWNER onelap_owner;
SQL
