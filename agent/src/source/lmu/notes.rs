//! What the game reports in words: incidents, penalties, track limits.
//!
//! The game appends lines to a buffer that it never clears, some of them twice. A line is told once; what stood in the
//! buffer when the session was first seen is not told.
//!
//! ```text
//! <Incident et="123.4">Ada(7) reported contact (120.55) with another vehicle Grace(3)</Incident>
//! <TrackLimits Driver="Ada" ID="7" Lap="3" WarningPoints="1" CurrentPoints="4" Resolution="Lap Invalidated" et="130.2"/>
//! ```

use super::image::decode;
use onelap_protocol::race::NoteTopic;
use std::collections::{HashSet, VecDeque};

/// Lines that are remembered; more than the buffer holds.
const MEMORY: usize = 2048;
/// Longest text that is passed on, in bytes.
const LONGEST: usize = 300;

/// A line of the game's.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The slot of the car it is about.
    pub slot: Option<i32>,
    /// What it is about.
    pub topic: NoteTopic,
    /// The game's words.
    pub text: String,
    /// Session time, s; absent where the line has none.
    pub at_s: Option<f64>,
}

/// What was told already.
#[derive(Debug, Default)]
pub struct Notes {
    last_stream: Option<u32>,
    seen: HashSet<u32>,
    order: VecDeque<u32>,
}

impl Notes {
    /// Looks at the buffer and tells what is new; at the first look nothing is.
    pub fn look(&mut self, stream: &[u8], mut tell: impl FnMut(Line)) {
        let sum = crc32fast::hash(stream);
        let is_first = self.last_stream.is_none();
        if self.last_stream.replace(sum) == Some(sum) {
            return;
        }
        for raw in stream.split(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            if !raw.is_empty()
                && self.is_new(raw)
                && !is_first
                && let Some(line) = parse(&decode(raw))
            {
                tell(line);
            }
        }
    }

    fn is_new(&mut self, raw: &[u8]) -> bool {
        let sum = crc32fast::hash(raw);
        if !self.seen.insert(sum) {
            return false;
        }
        self.order.push_back(sum);
        if self.order.len() > MEMORY
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

/// Understands one line; sector times and empty lines say nothing.
fn parse(line: &str) -> Option<Line> {
    let line = line.trim();
    let (tag, attributes, inner) = split(line);
    let topic = match tag {
        "Sector" => return None,
        "Incident" => NoteTopic::Incident,
        "Penalty" => NoteTopic::Penalty,
        "TrackLimits" => NoteTopic::TrackLimits,
        _ if line.contains("reported contact") || line.contains("suspension damage") => NoteTopic::Incident,
        _ => NoteTopic::Other,
    };
    let text = if inner.is_empty() { describe(attributes) } else { inner.to_owned() };
    let slot = attribute(attributes, "ID").map_or_else(|| slot_in(inner), |id| id.trim().parse().ok());
    let at_s = attribute(attributes, "et").and_then(|et| et.trim().parse().ok()).filter(|et: &f64| et.is_finite());
    let text = clip(&text).to_owned();
    (!text.is_empty()).then_some(Line { slot, topic, text, at_s })
}

/// Tag, attributes and the text between the tags.
fn split(line: &str) -> (&str, &str, &str) {
    let Some((head, rest)) = line.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return ("", "", line);
    };
    let head = head.trim_end_matches('/');
    let (tag, attributes) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
    let inner = rest.rfind("</").map_or(rest, |end| &rest[..end]);
    (tag, attributes.trim(), inner.trim())
}

/// `name="value"`, the name being a whole word.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    pairs(attributes).find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn pairs(attributes: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = attributes;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after;
        Some((name.trim(), value))
    })
}

/// Attributes as words, where a line has nothing else: "Driver Ada, Lap 3, Resolution Lap Invalidated".
fn describe(attributes: &str) -> String {
    let told = pairs(attributes).filter(|(name, value)| !["et", "ID"].contains(name) && !value.is_empty());
    told.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// The first "(number)" of a text: "Ada(7) reported …".
fn slot_in(text: &str) -> Option<i32> {
    text.split('(').skip(1).find_map(|part| part.split_once(')')?.0.parse().ok())
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTACT: &str =
        r#"<Incident et="123.4">Ada (x)(7) reported contact (120.55) with another vehicle Grace(3)</Incident>"#;

    fn told(notes: &mut Notes, stream: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        notes.look(stream.as_bytes(), |line| lines.push(line));
        lines
    }

    #[test]
    fn a_line_is_told_once_and_what_stood_there_before_is_not() {
        let mut notes = Notes::default();
        assert_eq!(told(&mut notes, "<Incident et=\"1.0\">old(1) thing</Incident>\n"), []);
        let stream = format!("<Incident et=\"1.0\">old(1) thing</Incident>\n{CONTACT}\n{CONTACT}\n");
        let lines = told(&mut notes, &stream);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].slot, lines[0].topic, lines[0].at_s), (Some(7), NoteTopic::Incident, Some(123.4)));
        assert_eq!(lines[0].text, "Ada (x)(7) reported contact (120.55) with another vehicle Grace(3)");
        assert_eq!(told(&mut notes, &stream), []);
        assert_eq!(told(&mut notes, &format!("{stream}reports new suspension damage\n")).len(), 1);
    }

    #[test]
    fn track_limits_are_told_from_their_attributes() {
        let line = parse(
            r#"<TrackLimits Driver="Ada" ID="7" Lap="3" WarningPoints="1" CurrentPoints="4" Resolution="Warning" et="130.2"/>"#,
        )
        .unwrap();
        assert_eq!((line.slot, line.topic, line.at_s), (Some(7), NoteTopic::TrackLimits, Some(130.2)));
        assert_eq!(line.text, "Driver Ada, Lap 3, WarningPoints 1, CurrentPoints 4, Resolution Warning");
        assert_eq!(parse(r#"<Sector et="1">x</Sector>"#), None);
    }

    proptest! {
        #[test]
        fn no_stream_panics(stream in proptest::collection::vec(any::<u8>(), 0..400), text in "[<>\"=/ a-z()0-9é]{0,80}") {
            let mut notes = Notes::default();
            notes.look(b"", |_| ());
            notes.look(&stream, |_| ());
            notes.look(text.as_bytes(), |_| ());
            parse(&text);
        }
    }
}
