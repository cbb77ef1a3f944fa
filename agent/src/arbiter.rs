//! Which of a rig's sources speaks: the first whose game runs, until that game ends.
//!
//! A PC may have several games' sources open; their readers all listen all the time. Only the one in charge is heard.
//! When its game ends and another runs, that one's state, session and setup are told as if they had just begun. Pure.

use crate::reading::Reading;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState, SessionInfo};
use onelap_protocol::setup::Setup;

/// What a source said last.
#[derive(Debug)]
struct Source {
    game: Option<Game>,
    state: GameState,
    session: Option<Box<SessionInfo>>,
    /// The session's setup, and when it was told, in its time.
    setup: Option<(f64, Box<Setup>)>,
    notice: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Arbiter {
    sources: Vec<Source>,
    in_charge: Option<usize>,
    notice: Option<String>,
}

impl Arbiter {
    /// For so many sources, none in charge.
    #[must_use]
    pub fn new(sources: usize) -> Self {
        let silent = || Source { game: None, state: GameState::NotRunning, session: None, setup: None, notice: None };
        Self { sources: (0..sources).map(|_| silent()).collect(), in_charge: None, notice: None }
    }

    /// Takes what a source says and passes on what is to be heard.
    pub fn hear(&mut self, source: usize, reading: Reading, pass: &mut impl FnMut(Reading)) {
        let Some(said) = self.sources.get_mut(source) else { return };
        said.remember(&reading);
        let has_game = said.game.is_some();
        match self.in_charge {
            None if has_game => self.take_charge(source, pass),
            Some(in_charge) if in_charge == source => {
                if !matches!(reading, Reading::Notice(_)) {
                    pass(reading);
                }
                if !has_game {
                    self.hand_over(pass);
                }
            }
            _ => {}
        }
        self.tell_notice(pass);
    }

    fn hand_over(&mut self, pass: &mut impl FnMut(Reading)) {
        if let Some(source) = self.in_charge.take().and_then(|i| self.sources.get_mut(i))
            && source.session.take().is_some()
        {
            pass(Reading::SessionEnded(EndReason::GameClosed));
        }
        if let Some(next) = self.sources.iter().position(|source| source.game.is_some()) {
            self.take_charge(next, pass);
        }
    }

    fn take_charge(&mut self, index: usize, pass: &mut impl FnMut(Reading)) {
        self.in_charge = Some(index);
        let source = &self.sources[index];
        pass(Reading::State { game: source.game, state: source.state });
        if let Some(info) = &source.session {
            pass(Reading::SessionStarted(info.clone()));
            if let Some((at_s, setup)) = source.setup.clone() {
                pass(Reading::Setup { at_s, setup });
            }
        }
    }

    /// The notice of the source in charge counts, else anybody's.
    fn tell_notice(&mut self, pass: &mut impl FnMut(Reading)) {
        let in_charge = self.in_charge.and_then(|i| self.sources[i].notice.as_ref());
        let notice = in_charge.or_else(|| self.sources.iter().find_map(|source| source.notice.as_ref()));
        if notice != self.notice.as_ref() {
            self.notice = notice.cloned();
            pass(Reading::Notice(self.notice.clone()));
        }
    }
}

impl Source {
    fn remember(&mut self, reading: &Reading) {
        match reading {
            Reading::State { game, state } => (self.game, self.state) = (*game, *state),
            Reading::Notice(notice) => self.notice.clone_from(notice),
            Reading::SessionStarted(info) | Reading::SessionChanged(info) => {
                self.game.get_or_insert(info.game);
                self.session = Some(info.clone());
                if matches!(reading, Reading::SessionStarted(_)) {
                    self.setup = None;
                }
            }
            Reading::SessionEnded(_) => (self.session, self.setup) = (None, None),
            Reading::Setup { at_s, setup } => self.setup = Some((*at_s, setup.clone())),
            Reading::Sample(_) | Reading::Standings(_) | Reading::Event(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session_info;

    fn state(game: Option<Game>) -> Reading {
        Reading::State { game, state: if game.is_some() { GameState::OnTrack } else { GameState::NotRunning } }
    }

    fn started(game: Game) -> Reading {
        Reading::SessionStarted(Box::new(session_info(game, "Monza")))
    }

    fn heard(said: Vec<(usize, Reading)>) -> Vec<Reading> {
        let mut arbiter = Arbiter::new(2);
        let mut out = Vec::new();
        for (source, reading) in said {
            arbiter.hear(source, reading, &mut |reading| out.push(reading));
        }
        out
    }

    #[test]
    fn the_game_that_runs_first_is_heard() {
        let said = vec![
            (0, state(None)),
            (1, state(Some(Game::F1))),
            (0, state(Some(Game::Lmu))),
            (0, started(Game::Lmu)),
            (1, started(Game::F1)),
        ];
        assert_eq!(heard(said), [state(Some(Game::F1)), started(Game::F1)]);
    }

    #[test]
    fn when_it_ends_the_other_is_told_from_its_beginning() {
        let said = vec![
            (1, state(Some(Game::F1))),
            (1, started(Game::F1)),
            (0, state(Some(Game::Lmu))),
            (0, started(Game::Lmu)),
            (1, state(None)),
        ];
        let expected = [
            state(Some(Game::F1)),
            started(Game::F1),
            state(None),
            Reading::SessionEnded(EndReason::GameClosed),
            state(Some(Game::Lmu)),
            started(Game::Lmu),
        ];
        assert_eq!(heard(said), expected);
    }

    #[test]
    fn the_setup_that_was_told_meanwhile_comes_with_its_session() {
        let setup = |at_s| Reading::Setup { at_s, setup: Box::new(Setup { name: None, items: vec![] }) };
        let said = vec![
            (1, state(Some(Game::F1))),
            (0, state(Some(Game::Lmu))),
            (0, started(Game::Lmu)),
            (0, setup(1.0)),
            (0, started(Game::Lmu)),
            (0, setup(2.0)),
            (0, setup(3.0)),
            (1, state(None)),
        ];
        let expected = [state(Some(Game::F1)), state(None), state(Some(Game::Lmu)), started(Game::Lmu), setup(3.0)];
        assert_eq!(heard(said), expected);
        let ended = Reading::SessionEnded(EndReason::Left);
        let said = vec![
            (1, state(Some(Game::F1))),
            (0, state(Some(Game::Lmu))),
            (0, started(Game::Lmu)),
            (0, setup(1.0)),
            (0, ended),
            (0, started(Game::Lmu)),
            (1, state(None)),
        ];
        assert_eq!(heard(said).last(), Some(&started(Game::Lmu)));
    }

    #[test]
    fn a_notice_is_heard_from_whoever_has_one() {
        let notice = |text: &str| Reading::Notice(Some(text.into()));
        let said = vec![
            (1, notice("format 2023 is not decoded")),
            (0, state(Some(Game::Lmu))),
            (0, notice("plugins are off")),
            (0, notice("plugins are off")),
            (0, Reading::Notice(None)),
        ];
        let expected = [
            notice("format 2023 is not decoded"),
            state(Some(Game::Lmu)),
            notice("plugins are off"),
            notice("format 2023 is not decoded"),
        ];
        assert_eq!(heard(said), expected);
    }
}
