//! SQL of recording: the rows that follow from events. What was said of a row before is replaced.

use super::store::Head;
use crate::db::TenantTx;
use crate::race::Fact;
use crate::race::fold::{DriverChangeFact, LapFact, PitStopFact, StintFact};
use sqlx::types::Json;

/// Runs a statement that takes the team, the session and the rows as JSON, if there are any rows.
macro_rules! upsert {
    ($tx:ident, $head:ident, $rows:ident, $sql:literal) => {
        if !$rows.is_empty() {
            let team = $tx.team();
            sqlx::query!($sql, team.0, $head.session.0, Json(&$rows) as _).execute(&mut **$tx).await?;
        }
    };
}

/// Writes what follows from a commit's events, a statement for each kind, however many rows.
pub(super) async fn write(tx: &mut TenantTx, head: Head, facts: &[Fact]) -> Result<(), sqlx::Error> {
    let (mut laps, mut stints, mut stops, mut changes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // A later word about the same row replaces the earlier one: one statement must not touch a row twice.
    for fact in facts {
        match fact {
            Fact::Lap(fact) => replace(&mut laps, fact.as_ref(), |a: &LapFact, b| (&a.car, a.lap) == (&b.car, b.lap)),
            Fact::Stint(fact) => {
                replace(&mut stints, fact, |a: &StintFact, b| (&a.car, a.stint) == (&b.car, b.stint));
            }
            Fact::PitStop(fact) => {
                replace(&mut stops, fact, |a: &PitStopFact, b| (&a.car, a.stop) == (&b.car, b.stop));
            }
            Fact::DriverChange(fact) => {
                replace(&mut changes, fact, |a: &DriverChangeFact, b| (&a.car, a.at_s) == (&b.car, b.at_s));
            }
        }
    }
    upsert!(
        tx,
        head,
        laps,
        r#"insert into laps (team_id, session_id, car, lap, own, driver, time_ms, sector1_ms, sector2_ms, sector3_ms,
               valid, out_lap, in_lap, position, class_position, class, number, at_s, fuel_l, fuel_kg,
               virtual_energy_pct, fuel_used_l, fuel_used_kg, virtual_energy_used_pct, compound, tire_wear_pct, stint)
           select $1, $2, car, lap, own, driver, time_ms, sector1_ms, sector2_ms, sector3_ms,
               valid, out_lap, in_lap, position, class_position, class, number, at_s, fuel_l, fuel_kg,
               virtual_energy_pct, fuel_used_l, fuel_used_kg, virtual_energy_used_pct, compound, tire_wear_pct, stint
           from jsonb_populate_recordset(null::laps, $3)
           on conflict (team_id, session_id, car, lap) do update set
               driver = excluded.driver, time_ms = excluded.time_ms, sector1_ms = excluded.sector1_ms,
               sector2_ms = excluded.sector2_ms, sector3_ms = excluded.sector3_ms, valid = excluded.valid,
               out_lap = excluded.out_lap, in_lap = excluded.in_lap, position = excluded.position,
               class_position = excluded.class_position, at_s = excluded.at_s, fuel_l = excluded.fuel_l,
               fuel_kg = excluded.fuel_kg, virtual_energy_pct = excluded.virtual_energy_pct,
               fuel_used_l = excluded.fuel_used_l, fuel_used_kg = excluded.fuel_used_kg,
               virtual_energy_used_pct = excluded.virtual_energy_used_pct, compound = excluded.compound,
               tire_wear_pct = excluded.tire_wear_pct, stint = excluded.stint"#
    );
    upsert!(
        tx,
        head,
        stints,
        r#"insert into stints (team_id, session_id, car, stint, own, driver, first_lap, last_lap, laps, compound, best_ms,
               mean_ms)
           select $1, $2, car, stint, own, driver, first_lap, last_lap, laps, compound, best_ms, mean_ms
           from jsonb_populate_recordset(null::stints, $3)
           on conflict (team_id, session_id, car, stint) do update set
               driver = excluded.driver, last_lap = excluded.last_lap, laps = excluded.laps,
               compound = excluded.compound, best_ms = excluded.best_ms, mean_ms = excluded.mean_ms"#
    );
    upsert!(
        tx,
        head,
        stops,
        r#"insert into pit_stops (team_id, session_id, car, stop, own, lap, driver_in, driver_out, entered_s, stopped_s,
               released_s, exited_s, fuel_in_l, fuel_out_l, virtual_energy_in_pct, virtual_energy_out_pct, compound_in,
               compound_out)
           select $1, $2, car, stop, own, lap, driver_in, driver_out, entered_s, stopped_s,
               released_s, exited_s, fuel_in_l, fuel_out_l, virtual_energy_in_pct, virtual_energy_out_pct, compound_in,
               compound_out
           from jsonb_populate_recordset(null::pit_stops, $3)
           on conflict (team_id, session_id, car, stop) do update set
               driver_out = excluded.driver_out, stopped_s = excluded.stopped_s, released_s = excluded.released_s,
               exited_s = excluded.exited_s, fuel_out_l = excluded.fuel_out_l,
               virtual_energy_out_pct = excluded.virtual_energy_out_pct, compound_out = excluded.compound_out"#
    );
    upsert!(
        tx,
        head,
        changes,
        r#"insert into driver_changes (team_id, session_id, car, lap, at_s, own, from_driver, to_driver)
           select $1, $2, car, lap, at_s, own, from_driver, to_driver
           from jsonb_populate_recordset(null::driver_changes, $3)
           on conflict do nothing"#
    );
    Ok(())
}

fn replace<'a, T>(rows: &mut Vec<&'a T>, row: &'a T, same: impl Fn(&T, &T) -> bool) {
    match rows.iter_mut().find(|old| same(old, row)) {
        Some(old) => *old = row,
        None => rows.push(row),
    }
}
