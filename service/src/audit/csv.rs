//! Entries as lines of comma-separated values (RFC 4180), safe to open in a spreadsheet.

use crate::audit::Entry;
use time::format_description::well_known::Rfc3339;

pub(super) const HEAD: &str =
    "at,actor_kind,actor_id,actor_name,action,subject_kind,subject_id,subject_name,detail,address,trace\r\n";

/// One cell. What a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// One line.
pub(super) fn line(entry: &Entry) -> String {
    let id = |id: &Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.at.format(&Rfc3339).unwrap_or_default(),
        entry.actor_kind.clone(),
        id(&entry.actor_id),
        or_empty(&entry.actor_name),
        entry.action.clone(),
        or_empty(&entry.subject_kind),
        id(&entry.subject_id),
        or_empty(&entry.subject_name),
        entry.detail.to_string(),
        entry.address.clone(),
        entry.trace.clone(),
    ];
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_never_a_formula() {
        assert_eq!(cell("Lena"), "Lena");
        assert_eq!(cell("Hartmann, \"Lena\""), "\"Hartmann, \"\"Lena\"\"\"");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("@SUM(A1)"), "'@SUM(A1)");
    }
}
