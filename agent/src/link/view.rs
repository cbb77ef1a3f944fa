//! What there is to know about a connection: what the service says of itself and of the agent.

use onelap_protocol::ErrorCode;
use onelap_protocol::agent::Place;
use onelap_protocol::limits::Limits;

/// Why the service did not accept a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Why, for programs, where it said so.
    pub code: Option<ErrorCode>,
    /// Why, for people.
    pub message: String,
    /// When it asks to be tried again, in seconds.
    pub retry_after_s: Option<u64>,
}

impl Refusal {
    /// Only a person can change it: trying again soon is of no use. So says the service itself; others that answer in
    /// its place, such as a network's login page, go away.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.code.is_some() && (400..500).contains(&self.status) && self.status != 408 && self.status != 429
    }
}

/// Who the service says this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeted {
    /// The team's name.
    pub team: String,
    /// The rig's name.
    pub rig: String,
    /// How far the PC's clock is ahead of the service's, in milliseconds.
    pub clock_ahead_ms: i64,
    /// Limits.
    pub limits: Limits,
}

/// What there is to know about the link, for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// Who the service says this is; absent while there is no connection.
    pub greeted: Option<Greeted>,
    /// The last place that the service has committed.
    pub acked: Option<Place>,
    /// What is wrong: with the connection while there is none, with what was sent while there is one.
    pub problem: Option<String>,
    /// Only a person can change the problem.
    pub needs_help: bool,
}
