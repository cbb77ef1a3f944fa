//! Whether what an agent sent may be kept: lengths and ranges that the types do not rule out. Pure.

use onelap_protocol::agent::{Record, SpoolState};
use onelap_protocol::limits::MAX_TEXT;
use onelap_protocol::race::{Lap, RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;

/// Most settings of a setup; the games have about 170.
const MAX_SETTINGS: usize = 1000;
/// Longest text of one setting.
const MAX_NOTE: usize = 4 * MAX_TEXT;

/// Most that a spool may say it holds: more than any disk, and still a whole number in a browser.
const MAX_SPOOL_BYTES: u64 = 1 << 50;
/// Most items: every one of them has a byte.
const MAX_SPOOL_ITEMS: u64 = MAX_SPOOL_BYTES;
/// Greatest age of an item: ten years.
const MAX_SPOOL_AGE_MS: u64 = 10 * 366 * 24 * 3_600_000;

type Check = Result<(), String>;

/// Checks something to be recorded.
pub(super) fn record(record: &Record) -> Check {
    match record {
        Record::Session { info } => session(info),
        Record::Event { event } => race_event(event),
        Record::Setup { setup, .. } => self::setup(setup),
        Record::End { .. } => Ok(()),
    }
}

/// Checks what the team is told of the agent.
pub(super) fn status(notice: Option<&str>, spool: &SpoolState) -> Check {
    optional_text("status.notice", notice)?;
    let SpoolState { bytes, items, oldest_ms, catching_up_s: _, lost, on_disk: _ } = *spool;
    let sizes = [
        ("status.spool.bytes", bytes, MAX_SPOOL_BYTES),
        ("status.spool.items", items, MAX_SPOOL_ITEMS),
        ("status.spool.oldest_ms", oldest_ms.unwrap_or(0), MAX_SPOOL_AGE_MS),
        ("status.spool.lost", lost, MAX_SPOOL_ITEMS),
    ];
    match sizes.into_iter().find(|(_, value, limit)| value > limit) {
        Some((name, value, limit)) => Err(format!("{name}: {value} is out of range, the most is {limit}")),
        None => Ok(()),
    }
}

fn session(info: &SessionInfo) -> Check {
    text("info.track", &info.track, MAX_TEXT)?;
    text("info.car_name", &info.car_name, MAX_TEXT)?;
    text("info.driver", &info.driver, MAX_TEXT)?;
    text("info.car", &info.car.0, MAX_TEXT)?;
    let optional = [
        ("info.game_version", &info.game_version),
        ("info.class", &info.class),
        ("info.number", &info.number),
        ("info.entrant", &info.entrant),
        ("info.server", &info.server),
    ];
    optional.into_iter().try_for_each(|(name, value)| optional_text(name, value.as_deref()))
}

fn race_event(event: &RaceEvent) -> Check {
    match event {
        RaceEvent::Lap(lap) => self::lap(lap),
        RaceEvent::Pit { car, compound, .. } => {
            text("event.car", &car.0, MAX_TEXT)?;
            optional_text("event.compound", compound.as_deref())
        }
        RaceEvent::DriverChange { car, from, to, .. } => {
            text("event.car", &car.0, MAX_TEXT)?;
            text("event.from", from, MAX_TEXT)?;
            text("event.to", to, MAX_TEXT)
        }
        RaceEvent::Note { car, text: note, .. } => {
            optional_text("event.car", car.as_ref().map(|car| car.0.as_str()))?;
            text("event.text", note, MAX_NOTE)
        }
        RaceEvent::Phase { .. } => Ok(()),
    }
}

fn lap(lap: &Lap) -> Check {
    text("event.car", &lap.car.0, MAX_TEXT)?;
    text("event.driver", &lap.driver, MAX_TEXT)?;
    optional_text("event.class", lap.class.as_deref())?;
    optional_text("event.number", lap.number.as_deref())?;
    optional_text("event.compound", lap.compound.as_deref())?;
    // JSON has no infinity, but numbers that become it here; where they are stored they would be null.
    if !lap.tire_wear_pct.iter().flatten().all(|wear| wear.is_finite()) {
        return Err("event.tire_wear_pct: out of range".to_owned());
    }
    let times = lap.sectors_ms.iter().chain([&lap.time_ms]).flatten();
    match times.copied().find(|ms| i32::try_from(*ms).is_err()) {
        Some(ms) => Err(format!("event.time_ms: {ms} ms is no lap time")),
        None => Ok(()),
    }
}

fn setup(setup: &Setup) -> Check {
    if setup.items.len() > MAX_SETTINGS {
        return Err(format!("setup.items: {} settings, allowed are {MAX_SETTINGS}", setup.items.len()));
    }
    optional_text("setup.name", setup.name.as_deref())?;
    setup.items.iter().try_for_each(|item| {
        text("setup.items.key", &item.key, MAX_TEXT)?;
        text("setup.items.label", &item.label, MAX_TEXT)?;
        text("setup.items.text", &item.text, MAX_TEXT)
    })
}

fn optional_text(name: &str, value: Option<&str>) -> Check {
    value.map_or(Ok(()), |value| text(name, value, MAX_TEXT))
}

fn text(name: &str, value: &str, limit: usize) -> Check {
    if value.len() > limit {
        return Err(format!("{name}: {} bytes, allowed are {limit}", value.len()));
    }
    // Postgres keeps no NUL in a text.
    if value.contains('\0') { Err(format!("{name}: holds a NUL character")) } else { Ok(()) }
}
