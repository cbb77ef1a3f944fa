//! The samples of a lap, or of a stretch of session time, out of the chunks that they are stored in.
//!
//! Invariant: what is returned can be decoded: a lap with more samples than a trace may have (the car stood in the
//! garage for an hour) is thinned evenly.

use crate::error::ApiError;
use crate::recorder::chunk::{self, ChunkError};
use onelap_protocol::batch::{MAX_TRACE_SAMPLES, OPCODE_TRACE};
use onelap_protocol::channel::{ABSENT, CHANNELS};
use onelap_protocol::{Batch, Channel, SessionId};

/// Longest stretch that can be asked for at once.
pub(super) const MAX_STRETCH_S: f64 = 1800.0;

/// Which channels are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All that have a value.
    All,
    /// These.
    Some(Vec<Channel>),
}

impl Wanted {
    /// Reads `speed,throttle`; nothing at all means all.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] names the channel that is not known.
    pub fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::All) };
        let find = |name: &str| {
            let known = CHANNELS.iter().find(|info| info.name == name.trim());
            known.map(|info| info.channel).ok_or_else(|| {
                let shown: String = name.chars().take(64).collect();
                ApiError::invalid("channels", format!("there is no channel \"{shown}\"; /api/channels lists them"))
            })
        };
        text.split(',').map(find).collect::<Result<_, _>>().map(Self::Some)
    }

    fn has(&self, channel: Channel) -> bool {
        match self {
            Self::All => true,
            Self::Some(channels) => channels.contains(&channel),
        }
    }
}

/// Which samples are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// Those of a lap.
    Lap(u16),
    /// Those of a stretch of session time, both ends included.
    Stretch {
        /// In steps of the channel.
        from: i32,
        /// See `from`.
        to: i32,
    },
}

impl Part {
    /// A stretch that can be asked for, given in seconds.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] says which end is wrong.
    pub(super) fn stretch(from_s: f64, to_s: f64) -> Result<Self, ApiError> {
        let quantum = Channel::SessionTime.info().quantum;
        let steps = |name, seconds: f64| {
            let steps = (seconds / quantum).round();
            let is_time = steps.abs() <= f64::from(i32::MAX);
            is_time.then_some(steps as i32).ok_or_else(|| ApiError::invalid(name, "this is a session time in seconds"))
        };
        let (from, to) = (steps("from_s", from_s)?, steps("to_s", to_s)?);
        if from >= to {
            return Err(ApiError::invalid("to_s", "a stretch ends after it begins"));
        }
        if to_s - from_s > MAX_STRETCH_S {
            let problem = format!("a stretch is {MAX_STRETCH_S} seconds at most");
            return Err(ApiError::invalid("to_s", problem));
        }
        Ok(Self::Stretch { from, to })
    }

    /// Which samples of a chunk belong to it.
    fn of(self, chunk: &Batch) -> Vec<bool> {
        match self {
            Self::Lap(lap) => chunk.column(Channel::Lap).iter().map(|l| *l == i32::from(lap)).collect(),
            Self::Stretch { from, to } => {
                let times = chunk.column(Channel::SessionTime);
                // Some sources tell the time less often than everything else: until then it is what it was.
                let mut time = times.iter().copied().find(|t| *t != ABSENT).unwrap_or(ABSENT);
                let mut is_in = |t: &i32| {
                    time = if *t == ABSENT { time } else { *t };
                    time != ABSENT && (from..=to).contains(&time)
                };
                times.iter().map(&mut is_in).collect()
            }
        }
    }
}

/// Part of a session as a trace; `None` where there are no samples of it.
pub(super) fn trace(
    chunks: &[Vec<u8>],
    session: SessionId,
    part: Part,
    wanted: &Wanted,
) -> Result<Option<Vec<u8>>, ChunkError> {
    let samples = samples_of(chunks, part)?;
    if samples.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(64 * 1024);
    samples.encode_some(OPCODE_TRACE, session, 0, 0, |channel| wanted.has(channel), &mut out);
    Ok(Some(out))
}

/// The samples that are asked for, every so-manieth where they are too many. They are thinned as they come: hours in the
/// garage are never in memory at once.
fn samples_of(chunks: &[Vec<u8>], part: Part) -> Result<Batch, ChunkError> {
    let mut samples = Batch::with_capacity(2048);
    let (mut every, mut seen) = (1, 0usize);
    for bytes in chunks {
        let chunk = chunk::decode(bytes)?;
        let mut keep = part.of(&chunk);
        for keep in keep.iter_mut().filter(|is_asked_for| **is_asked_for) {
            *keep = seen.is_multiple_of(every);
            seen += 1;
        }
        samples.extend_where(&chunk, |i| keep[i]);
        if samples.len() > MAX_TRACE_SAMPLES {
            let mut half = Batch::with_capacity(samples.len());
            half.extend_where(&samples, |i| i.is_multiple_of(2));
            (samples, every) = (half, every * 2);
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::Sample;

    fn chunk_of(from_ms: u64, laps: impl Iterator<Item = u16>) -> Vec<u8> {
        let mut batch = Batch::default();
        for (i, lap) in laps.enumerate() {
            let mut sample = Sample::new(from_ms + i as u64 * 50);
            sample.set(Channel::Lap, f64::from(lap));
            sample.set(Channel::Speed, 100.0 + i as f64);
            sample.set(Channel::Brake, 10.0);
            batch.push(&sample);
        }
        chunk::encode(&batch).unwrap().unwrap()
    }

    #[test]
    fn only_the_laps_own_samples_and_channels_are_kept() {
        let session = SessionId::new();
        let chunks = [chunk_of(0, [6, 6, 7].into_iter()), chunk_of(1000, [7, 7, 8].into_iter())];
        let bytes = trace(&chunks, session, Part::Lap(7), &Wanted::Some(vec![Channel::Speed])).unwrap().unwrap();
        let (header, batch) = Batch::decode(&bytes).unwrap();
        assert_eq!((header.session, header.samples), (session, 3));
        assert_eq!(batch.times_ms(), [100, 1000, 1050]);
        assert_eq!(batch.value(Channel::Speed, 0), Some(102.0));
        assert_eq!(batch.value(Channel::Brake, 0), None);
        assert!(trace(&chunks, session, Part::Lap(9), &Wanted::All).unwrap().is_none());
    }

    #[test]
    fn a_stretch_has_what_lies_in_it_also_where_the_time_is_told_less_often() {
        let mut batch = Batch::default();
        for i in 0..100u64 {
            let mut sample = Sample::new(i * 50);
            sample.set(Channel::Speed, i as f64);
            if i % 4 == 2 {
                sample.set(Channel::SessionTime, 60.0 + i as f64 / 20.0);
            }
            batch.push(&sample);
        }
        let chunks = [chunk::encode(&batch).unwrap().unwrap()];
        let speeds = |from_s, to_s| {
            let bytes = trace(&chunks, SessionId::new(), Part::stretch(from_s, to_s).unwrap(), &Wanted::All).unwrap();
            let (_, batch) = Batch::decode(&bytes?).unwrap();
            Some([0, batch.len() - 1].map(|i| batch.value(Channel::Speed, i).unwrap()))
        };
        assert_eq!(speeds(61.1, 62.1), Some([22.0, 45.0]));
        assert_eq!(speeds(0.0, 60.1), Some([0.0, 5.0]));
        assert_eq!((speeds(64.95, 90.0), speeds(0.0, 60.0)), (None, None));
    }

    #[test]
    fn a_stretch_that_cannot_be_is_refused_by_the_name_of_its_end() {
        for (from_s, to_s, field) in [
            (f64::NAN, 1.0, "from_s"),
            (0.0, f64::INFINITY, "to_s"),
            (-1e300, 1.0, "from_s"),
            (5.0, 5.0, "to_s"),
            (5.0, 4.0, "to_s"),
            (0.0, MAX_STRETCH_S + 1.0, "to_s"),
        ] {
            assert_eq!(Part::stretch(from_s, to_s).unwrap_err().field(), Some(field), "{from_s} {to_s}");
        }
        assert!(Part::stretch(-3.5, MAX_STRETCH_S - 3.5).is_ok(), "before the start the time may be negative");
    }

    #[test]
    fn a_lap_that_is_too_long_is_thinned_evenly() {
        let one = chunk_of(0, std::iter::repeat_n(3, 2000));
        let chunks: Vec<Vec<u8>> = std::iter::repeat_n(one, 20).collect();
        let bytes = trace(&chunks, SessionId::new(), Part::Lap(3), &Wanted::All).unwrap().unwrap();
        let (header, _) = Batch::decode(&bytes).unwrap();
        assert_eq!(header.samples, 20_000);
    }

    #[test]
    fn channels_are_read_by_name() {
        assert_eq!(Wanted::parse(None).unwrap(), Wanted::All);
        assert_eq!(Wanted::parse(Some("")).unwrap(), Wanted::All);
        let two = Wanted::Some(vec![Channel::Speed, Channel::TireWearFl]);
        assert_eq!(Wanted::parse(Some("speed, tire_wear.fl")).unwrap(), two);
        let error = Wanted::parse(Some("speed,spede")).unwrap_err();
        assert_eq!(error.field(), Some("channels"));
        assert!(error.to_string().contains("spede"), "{error}");
    }
}
