//! The closed list of LMU's REST paths that the agent asks for. There is no way to ask for another.
//!
//! Left out on purpose: `/rest/garage/UIScreen/RepairAndRefuel` (it makes the in-game menu flicker and shared memory has
//! what it tells of the car), `/rest/profile/*` (Steam tickets) and everything that writes.

/// A path of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// What the game is doing; 503 at the menu. The gate to all others.
    GameState,
    /// The session's planned length.
    SessionInfo,
    /// Numbers and teams of the cars.
    Standings,
    /// The name of the loaded setup.
    GarageSummary,
    /// The garage settings.
    GarageData,
    /// The garage settings once more, for builds without the one above.
    CarSetupOverview,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::GameState,
        Self::SessionInfo,
        Self::Standings,
        Self::GarageSummary,
        Self::GarageData,
        Self::CarSetupOverview,
    ];

    /// The path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::GameState => "/rest/sessions/GetGameState",
            Self::SessionInfo => "/rest/watch/sessionInfo",
            Self::Standings => "/rest/watch/standings",
            Self::GarageSummary => "/rest/garage/summary",
            Self::GarageData => "/rest/garage/getPlayerGarageData",
            Self::CarSetupOverview => "/rest/garage/UIScreen/CarSetupOverview",
        }
    }

    /// The endpoint with this path.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }
}
