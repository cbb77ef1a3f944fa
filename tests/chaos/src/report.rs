//! What is printed at the end.

use crate::check::{Findings, Wrong};
use std::collections::BTreeMap;

/// A run that was judged.
#[derive(Debug)]
pub struct Report<'a> {
    /// What the checker found.
    pub findings: &'a Findings,
    /// Faults that happened.
    pub counts: &'a BTreeMap<String, u32>,
    /// What was noticed while it ran.
    pub problems: &'a [String],
    /// Figures of the links.
    pub links: Vec<(&'static str, String)>,
}

impl Report<'_> {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.findings.counts.is_empty()
    }

    /// The table, and the first of what is wrong.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("\n");
        let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:<44} {value}\n"));
        for (name, value) in self.findings.figures.iter().chain(&self.links) {
            row(name, value);
        }
        row("faults", &self.counts.values().sum::<u32>().to_string());
        for (name, count) in self.counts {
            row(&format!("  {name}"), &count.to_string());
        }
        for (what, name) in Wrong::ALL {
            row(
                name,
                &format!("{}{}", self.findings.count(what), if self.findings.count(what) > 0 { "  <--" } else { "" }),
            );
        }
        row("what else must not happen", &self.problems.len().to_string());
        for (what, name) in Wrong::ALL {
            for place in self.findings.places.get(&what).into_iter().flatten() {
                text.push_str(&format!("\n{name}: {place}"));
            }
        }
        for problem in self.problems.iter().take(10) {
            text.push_str(&format!("\n{problem}"));
        }
        text
    }
}
