//! A lap's samples out of the chunks that they are stored in.
//!
//! Invariant: what is returned can be decoded: a lap with more samples than a trace may have (the car stood in the
//! garage for an hour) is thinned evenly.

use crate::error::ApiError;
use crate::recorder::chunk::{self, ChunkError};
use onelap_protocol::batch::{MAX_TRACE_SAMPLES, OPCODE_TRACE};
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::{Batch, Channel, SessionId};

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

/// The samples of a lap as a trace; `None` where there are none.
pub(super) fn trace(
    chunks: &[Vec<u8>],
    session: SessionId,
    lap: u16,
    wanted: &Wanted,
) -> Result<Option<Vec<u8>>, ChunkError> {
    let samples = samples_of(chunks, lap)?;
    if samples.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(64 * 1024);
    samples.encode_some(OPCODE_TRACE, session, 0, 0, |channel| wanted.has(channel), &mut out);
    Ok(Some(out))
}

/// The samples of a lap, every so-manieth where they are too many. They are thinned as they come: hours in the garage are
/// never in memory at once.
fn samples_of(chunks: &[Vec<u8>], lap: u16) -> Result<Batch, ChunkError> {
    let mut samples = Batch::with_capacity(2048);
    let (mut every, mut seen) = (1, 0usize);
    for bytes in chunks {
        let part = chunk::decode(bytes)?;
        let mut keep = vec![false; part.len()];
        for (keep, _) in keep.iter_mut().zip(part.column(Channel::Lap)).filter(|(_, l)| **l == i32::from(lap)) {
            *keep = seen.is_multiple_of(every);
            seen += 1;
        }
        samples.extend_where(&part, |i| keep[i]);
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
        let bytes = trace(&chunks, session, 7, &Wanted::Some(vec![Channel::Speed])).unwrap().unwrap();
        let (header, batch) = Batch::decode(&bytes).unwrap();
        assert_eq!((header.session, header.samples), (session, 3));
        assert_eq!(batch.times_ms(), [100, 1000, 1050]);
        assert_eq!(batch.value(Channel::Speed, 0), Some(102.0));
        assert_eq!(batch.value(Channel::Brake, 0), None);
        assert!(trace(&chunks, session, 9, &Wanted::All).unwrap().is_none());
    }

    #[test]
    fn a_lap_that_is_too_long_is_thinned_evenly() {
        let one = chunk_of(0, std::iter::repeat_n(3, 2000));
        let chunks: Vec<Vec<u8>> = std::iter::repeat_n(one, 20).collect();
        let bytes = trace(&chunks, SessionId::new(), 3, &Wanted::All).unwrap().unwrap();
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
