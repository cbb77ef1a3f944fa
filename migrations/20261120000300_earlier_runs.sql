-- Where earlier runs of the agent in a session ended: [[epoch, sequence], …], oldest first, the last 64. What comes again of
-- them is known by it to be recorded.
alter table sessions add column earlier_runs jsonb not null default '[]';
