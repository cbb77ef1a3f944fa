//! What the team should know about the source: one notice at a time, taken back when it no longer holds.

/// Why something is told, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Packets of a format that is not decoded.
    Format,
    /// Packets that were refused.
    Refused,
    /// More than one game sends here.
    Senders,
    /// Nothing comes.
    Silence,
}

const TOPICS: usize = 4;

/// The notices that hold.
#[derive(Debug, Default)]
pub struct Notices {
    holding: [Option<(String, u64)>; TOPICS],
    told: Option<usize>,
}

impl Notices {
    /// Something holds until then, unless it is said again. The words stay those of the first time.
    pub fn hold(&mut self, topic: Topic, until_ms: u64, text: impl FnOnce() -> String) {
        match &mut self.holding[topic as usize] {
            Some((_, until)) => *until = (*until).max(until_ms),
            empty => *empty = Some((text(), until_ms)),
        }
    }

    /// Something no longer holds.
    pub fn drop(&mut self, topic: Topic) {
        self.holding[topic as usize] = None;
    }

    /// What is to be told now, where it is something else than the last time.
    pub fn changed(&mut self, now_ms: u64) -> Option<Option<String>> {
        for held in &mut self.holding {
            if held.as_ref().is_some_and(|(_, until)| *until <= now_ms) {
                *held = None;
            }
        }
        let first = self.holding.iter().position(Option::is_some);
        if first == self.told {
            return None;
        }
        self.told = first;
        Some(first.and_then(|topic| self.holding[topic].as_ref()).map(|(text, _)| text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_told_once_and_taken_back() {
        let mut notices = Notices::default();
        assert_eq!(notices.changed(0), None);
        notices.hold(Topic::Refused, 100, || "one".to_owned());
        assert_eq!(notices.changed(1), Some(Some("one".to_owned())));
        notices.hold(Topic::Refused, 200, || "two".to_owned());
        assert_eq!(notices.changed(150), None);
        notices.hold(Topic::Format, 300, || "format".to_owned());
        assert_eq!(notices.changed(160), Some(Some("format".to_owned())));
        assert_eq!(notices.changed(300), Some(None));
    }
}
