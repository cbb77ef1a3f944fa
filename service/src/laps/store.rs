//! SQL of laps and their samples.

use crate::db::TenantTx;
use crate::laps::{DriverChangeRow, LapRow, PitStopRow, StintRow, Used};
use onelap_protocol::race::Lap;
use onelap_protocol::{CarKey, SessionId};

/// The schema's integers are signed; what they count is not.
fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

/// A row of `laps`, as a page and a live view need it.
#[derive(Debug)]
struct LapColumns {
    car: String,
    lap: i32,
    stint: i32,
    driver: String,
    time_ms: Option<i32>,
    sector1_ms: Option<i32>,
    sector2_ms: Option<i32>,
    sector3_ms: Option<i32>,
    valid: Option<bool>,
    out_lap: bool,
    in_lap: bool,
    position: Option<i32>,
    class_position: Option<i32>,
    class: Option<String>,
    number: Option<String>,
    at_s: f64,
    fuel_l: Option<f32>,
    fuel_kg: Option<f32>,
    virtual_energy_pct: Option<f32>,
    fuel_used_l: Option<f32>,
    fuel_used_kg: Option<f32>,
    virtual_energy_used_pct: Option<f32>,
    compound: Option<String>,
    tire_wear_pct: Option<Vec<f32>>,
}

impl LapColumns {
    /// As the protocol tells it, with what was used on it and the stint.
    fn read(self) -> (Lap, Used, u32) {
        let small = |value: i32| u16::try_from(value).unwrap_or(u16::MAX);
        let lap = Lap {
            car: CarKey(self.car),
            lap: small(self.lap),
            driver: self.driver,
            time_ms: self.time_ms.map(count),
            sectors_ms: [self.sector1_ms, self.sector2_ms, self.sector3_ms].map(|ms| ms.map(count)),
            valid: self.valid,
            out_lap: self.out_lap,
            in_lap: self.in_lap,
            position: self.position.map(small),
            class_position: self.class_position.map(small),
            class: self.class,
            number: self.number,
            at_s: self.at_s,
            fuel_l: self.fuel_l,
            fuel_kg: self.fuel_kg,
            virtual_energy_pct: self.virtual_energy_pct,
            compound: self.compound,
            tire_wear_pct: self.tire_wear_pct.and_then(|wear| wear.try_into().ok()),
        };
        let used = Used {
            fuel_l: self.fuel_used_l,
            fuel_kg: self.fuel_used_kg,
            virtual_energy_pct: self.virtual_energy_used_pct,
        };
        (lap, used, count(self.stint))
    }
}

/// The laps of a car.
pub(super) async fn laps(tx: &mut TenantTx, session: SessionId, car: &CarKey) -> Result<Vec<LapRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query_as!(
        LapColumns,
        "select car, lap, stint, driver, time_ms, sector1_ms, sector2_ms, sector3_ms, valid, out_lap, in_lap, position,
                class_position, class, number, at_s, fuel_l, fuel_kg, virtual_energy_pct, fuel_used_l, fuel_used_kg,
                virtual_energy_used_pct, compound, tire_wear_pct
         from laps where team_id = $1 and session_id = $2 and car = $3 order by lap",
        team.0,
        session.0,
        car.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| LapRow::new(row.read())).collect())
}

/// The latest laps of our car, oldest first.
pub(super) async fn latest_own(tx: &mut TenantTx, session: SessionId, most: i64) -> Result<Vec<Lap>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query_as!(
        LapColumns,
        "select car, lap, stint, driver, time_ms, sector1_ms, sector2_ms, sector3_ms, valid, out_lap, in_lap, position,
                class_position, class, number, at_s, fuel_l, fuel_kg, virtual_energy_pct, fuel_used_l, fuel_used_kg,
                virtual_energy_used_pct, compound, tire_wear_pct
         from laps where team_id = $1 and session_id = $2 and own order by lap desc limit $3",
        team.0,
        session.0,
        most
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().rev().map(|row| row.read().0).collect())
}

pub(super) async fn stints(tx: &mut TenantTx, session: SessionId, car: &CarKey) -> Result<Vec<StintRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select stint, driver, first_lap, last_lap, laps, compound, best_ms, mean_ms
         from stints where team_id = $1 and session_id = $2 and car = $3 order by stint",
        team.0,
        session.0,
        car.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StintRow {
            stint: count(row.stint),
            driver: row.driver,
            first_lap: count(row.first_lap),
            last_lap: count(row.last_lap),
            laps: count(row.laps),
            compound: row.compound,
            best_ms: row.best_ms.map(count),
            mean_ms: row.mean_ms.map(count),
        })
        .collect())
}

pub(super) async fn pit_stops(
    tx: &mut TenantTx,
    session: SessionId,
    car: &CarKey,
) -> Result<Vec<PitStopRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select stop, lap, driver_in, driver_out, entered_s, stopped_s, released_s, exited_s, fuel_in_l, fuel_out_l,
                virtual_energy_in_pct, virtual_energy_out_pct, compound_in, compound_out
         from pit_stops where team_id = $1 and session_id = $2 and car = $3 order by stop",
        team.0,
        session.0,
        car.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| PitStopRow {
            stop: count(row.stop),
            lap: count(row.lap),
            driver_in: row.driver_in,
            driver_out: row.driver_out,
            entered_s: row.entered_s,
            stopped_s: row.stopped_s,
            released_s: row.released_s,
            exited_s: row.exited_s,
            fuel_in_l: row.fuel_in_l,
            fuel_out_l: row.fuel_out_l,
            virtual_energy_in_pct: row.virtual_energy_in_pct,
            virtual_energy_out_pct: row.virtual_energy_out_pct,
            compound_in: row.compound_in,
            compound_out: row.compound_out,
        })
        .collect())
}

pub(super) async fn driver_changes(
    tx: &mut TenantTx,
    session: SessionId,
    car: &CarKey,
) -> Result<Vec<DriverChangeRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select lap, at_s, from_driver, to_driver
         from driver_changes where team_id = $1 and session_id = $2 and car = $3 order by at_s",
        team.0,
        session.0,
        car.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DriverChangeRow { lap: count(row.lap), at_s: row.at_s, from: row.from_driver, to: row.to_driver })
        .collect())
}

/// The chunks that may have samples of a stretch of session time, in the order of the stream.
pub(super) async fn chunks_between(
    tx: &mut TenantTx,
    session: SessionId,
    from_s: f64,
    to_s: f64,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        "select data from chunks
         where team_id = $1 and session_id = $2 and from_s <= $4 and to_s >= $3 order by epoch, first_sequence",
        team.0,
        session.0,
        from_s,
        to_s
    )
    .fetch_all(&mut **tx)
    .await
}

/// The chunks that may have samples of a lap of our car, in the order of the stream.
pub(super) async fn chunks(tx: &mut TenantTx, session: SessionId, lap: u16) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        "select data from chunks
         where team_id = $1 and session_id = $2 and lap_from <= $3 and lap_to >= $3 order by epoch, first_sequence",
        team.0,
        session.0,
        i32::from(lap)
    )
    .fetch_all(&mut **tx)
    .await
}
