//! What Postgres holds, read past the service, over a connection of the checker's own.

use crate::chunk;
use onelap_protocol::{Batch, SessionId};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A row of `chunks`.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// First sequence in it.
    pub first: u64,
    /// Last sequence in it.
    pub last: u64,
    /// Its samples.
    pub batch: Batch,
}

/// A row of `laps`, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lap {
    /// The car.
    pub car: String,
    /// Its lap.
    pub lap: u32,
    /// Who crossed the line.
    pub driver: String,
    /// Lap time.
    pub time_ms: Option<u32>,
    /// Sectors.
    pub sectors_ms: [Option<u32>; 3],
    /// Stint.
    pub stint: i32,
}

/// A row of `stints`, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stint {
    /// The car.
    pub car: String,
    /// Its stint.
    pub stint: i32,
    /// First lap.
    pub first: u32,
    /// Last lap.
    pub last: u32,
    /// Number of laps.
    pub laps: u32,
}

/// A session with everything in it.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Up to where it is committed.
    pub place: (u64, u64),
    /// It is over.
    pub has_ended: bool,
    /// By run of the agent, in order.
    pub chunks: BTreeMap<u64, Vec<Chunk>>,
    /// Laps.
    pub laps: Vec<Lap>,
    /// Stints.
    pub stints: Vec<Stint>,
    /// Places of setups.
    pub setups: BTreeSet<(u64, u64)>,
    /// Places of notes and phases.
    pub notes: BTreeSet<(u64, u64)>,
    /// Car and session time in milliseconds of driver changes.
    pub changes: BTreeSet<(String, i64)>,
}

/// A connection to Postgres as the team's owner would see it.
#[derive(Debug)]
pub struct Database(PgConnection);

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(url: &str, team: &str) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query("select set_config('app.team', $1, false)").bind(team).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Up to where each session is committed.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn places(&mut self) -> Result<BTreeMap<SessionId, (u64, u64)>, sqlx::Error> {
        let rows = sqlx::query("select id, epoch, sequence from sessions").fetch_all(&mut self.0).await?;
        Ok(rows.iter().map(|row| (id(row, "id"), place(row))).collect())
    }

    /// Everything.
    ///
    /// # Errors
    /// What Postgres says, or why a chunk cannot be read.
    pub async fn everything(&mut self) -> Result<BTreeMap<SessionId, Session>, String> {
        self.read().await.map_err(|e| format!("Postgres: {e}"))?
    }

    async fn read(&mut self) -> Result<Result<BTreeMap<SessionId, Session>, String>, sqlx::Error> {
        let connection = &mut self.0;
        let mut sessions: BTreeMap<SessionId, Session> = BTreeMap::new();
        let all = "select id as session_id, epoch, sequence, ended_at is not null as ended from sessions";
        for row in sqlx::query(all).fetch_all(&mut *connection).await? {
            let session = Session { place: place(&row), has_ended: row.get("ended"), ..Session::default() };
            sessions.insert(id(&row, "session_id"), session);
        }
        let chunks = "select session_id, epoch, first_sequence, last_sequence, data from chunks
                      order by session_id, epoch, first_sequence";
        for row in sqlx::query(chunks).fetch_all(&mut *connection).await? {
            let (epoch, first) = (number(&row, "epoch"), number(&row, "first_sequence"));
            let batch = match chunk::decode(row.get("data")) {
                Ok(batch) => batch,
                Err(why) => return Ok(Err(format!("chunk {epoch}/{first} of {}: {why}", id(&row, "session_id")))),
            };
            let chunk = Chunk { first, last: number(&row, "last_sequence"), batch };
            sessions.entry(id(&row, "session_id")).or_default().chunks.entry(epoch).or_default().push(chunk);
        }
        for row in sqlx::query("select * from laps").fetch_all(&mut *connection).await? {
            let ms = |column| row.get::<Option<i32>, _>(column).map(|ms| ms as u32);
            let lap = Lap {
                car: row.get("car"),
                lap: row.get::<i32, _>("lap") as u32,
                driver: row.get("driver"),
                time_ms: ms("time_ms"),
                sectors_ms: [ms("sector1_ms"), ms("sector2_ms"), ms("sector3_ms")],
                stint: row.get("stint"),
            };
            sessions.entry(id(&row, "session_id")).or_default().laps.push(lap);
        }
        for row in sqlx::query("select * from stints").fetch_all(&mut *connection).await? {
            let count = |column| row.get::<i32, _>(column) as u32;
            let (first, last, laps) = (count("first_lap"), count("last_lap"), count("laps"));
            let stint = Stint { car: row.get("car"), stint: row.get("stint"), first, last, laps };
            sessions.entry(id(&row, "session_id")).or_default().stints.push(stint);
        }
        for row in
            sqlx::query("select session_id, epoch, sequence from session_setups").fetch_all(&mut *connection).await?
        {
            sessions.entry(id(&row, "session_id")).or_default().setups.insert(place(&row));
        }
        for row in sqlx::query("select session_id, epoch, sequence from notes").fetch_all(&mut *connection).await? {
            sessions.entry(id(&row, "session_id")).or_default().notes.insert(place(&row));
        }
        for row in sqlx::query("select session_id, car, at_s from driver_changes").fetch_all(&mut *connection).await? {
            let change = (row.get("car"), (row.get::<f64, _>("at_s") * 1e3).round() as i64);
            sessions.entry(id(&row, "session_id")).or_default().changes.insert(change);
        }
        Ok(Ok(sessions))
    }
}

fn id(row: &PgRow, column: &str) -> SessionId {
    SessionId(row.get::<Uuid, _>(column))
}

fn number(row: &PgRow, column: &str) -> u64 {
    row.get::<i64, _>(column) as u64
}

fn place(row: &PgRow) -> (u64, u64) {
    (number(row, "epoch"), number(row, "sequence"))
}
