-- The session time of a chunk's samples, from the first to the last that is known: a stretch of a session is found by it.
-- Chunks that were written before have none, and are found by their laps only.

alter table chunks
    add column from_s double precision,
    add column to_s   double precision;
