//! What can be done to the game from outside: by script, over HTTP, or by a test.

use serde::Deserialize;

use crate::model::log::SessionKind;
use crate::model::setup::SetupError;
use crate::model::weather::WeatherChange;

/// One thing that happens to the game.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To the main menu: the session is unloaded, its time stands still.
    Menu,
    /// Back into the session and into the car; out of the garage if it is there.
    Track,
    /// The player's car into its garage, wherever it was. The lap is given up.
    Garage,
    /// Pause; the session's time stands still.
    Pause,
    /// On again.
    Resume,
    /// The player comes in at the end of this lap for fuel and tyres.
    Pit,
    /// Another driver: at once in the garage, else at a stop at the end of this lap.
    DriverChange {
        /// As in the entry list.
        name: String,
    },
    /// A setting of the garage.
    Setup {
        /// The game's own key, such as `WM_PRESSURE-W_FL`.
        key: String,
        /// The whole number behind the text.
        value: i64,
    },
    /// The game is gone: no mapping, no REST, no datagrams. Its time stands still.
    Disconnect,
    /// The game is back as it was.
    Reconnect,
    /// The session ends now.
    EndSession,
    /// The next session of the event.
    NextSession {
        /// Practice, qualifying or race.
        kind: SessionKind,
    },
    /// The weather changes.
    Weather(WeatherChange),
    /// The player touches the nearest car.
    Incident,
    /// Time goes back (F1).
    Flashback {
        /// How far, seconds.
        seconds: f64,
    },
    /// The program ends.
    Quit,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// There is no such driver in the player's team.
    #[error("no driver of the player's car is called `{name}`; there are: {known}")]
    UnknownDriver {
        /// What was asked for.
        name: String,
        /// Who there is.
        known: String,
    },
    /// The setting or its value is wrong.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The car is not in the garage.
    #[error("the setup can only be changed in the garage: send `garage` first")]
    NotInGarage,
    /// Flashbacks exist only in F1.
    #[error("a flashback needs the F1 face (`--f1`), and at most {most} s of driving before it")]
    NoFlashback {
        /// How far back it can go.
        most: u32,
    },
    /// The line, path or body is not a command.
    #[error("{0}")]
    Malformed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameBody {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupBody {
    key: String,
    value: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindBody {
    kind: SessionKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecondsBody {
    seconds: f64,
}

impl Command {
    /// From the last part of a path of the control interface and its body.
    pub(crate) fn from_http(name: &str, body: &[u8]) -> Result<Self, CommandError> {
        fn read<'a, T: Deserialize<'a>>(name: &str, body: &'a [u8]) -> Result<T, CommandError> {
            serde_json::from_slice(body)
                .map_err(|error| CommandError::Malformed(format!("the body of /{name}: {error}")))
        }
        Ok(match name {
            "driver-change" => Self::DriverChange { name: read::<NameBody>(name, body)?.name },
            "setup" => {
                let SetupBody { key, value } = read(name, body)?;
                Self::Setup { key, value }
            }
            "next-session" => Self::NextSession { kind: read::<KindBody>(name, body)?.kind },
            "weather" => Self::Weather(read(name, body)?),
            "flashback" if !body.is_empty() => Self::Flashback { seconds: read::<SecondsBody>(name, body)?.seconds },
            _ => Self::without_details(name)?,
        })
    }

    fn without_details(name: &str) -> Result<Self, CommandError> {
        Ok(match name {
            "menu" => Self::Menu,
            "track" => Self::Track,
            "garage" => Self::Garage,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "pit" => Self::Pit,
            "disconnect" => Self::Disconnect,
            "reconnect" => Self::Reconnect,
            "end-session" => Self::EndSession,
            "incident" => Self::Incident,
            "flashback" => Self::Flashback { seconds: 5.0 },
            "quit" => Self::Quit,
            _ => return Err(CommandError::Malformed(format!("`{name}` is not a command"))),
        })
    }

    /// From a line of a script, without its time: `pit`, `setup VM_REAR_WING 10`, `weather rain=0.4 ambient_c=18`.
    fn from_words(text: &str) -> Result<Self, CommandError> {
        let malformed = |why: String| CommandError::Malformed(why);
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match name {
            "driver-change" if !rest.is_empty() => Ok(Self::DriverChange { name: rest.to_owned() }),
            "setup" => {
                let (key, value) = rest
                    .split_once(char::is_whitespace)
                    .ok_or_else(|| malformed("setup takes a key and a value".to_owned()))?;
                let value = value.trim().parse().map_err(|_| malformed(format!("`{value}` is not a whole number")))?;
                Ok(Self::Setup { key: key.to_owned(), value })
            }
            "next-session" => {
                let kind = serde_json::from_value(serde_json::json!(rest));
                Ok(Self::NextSession {
                    kind: kind.map_err(|_| malformed(format!("`{rest}` is not practice, qualifying or race")))?,
                })
            }
            "weather" => {
                let mut change = serde_json::Map::new();
                for pair in rest.split_whitespace() {
                    let (key, value) =
                        pair.split_once('=').ok_or_else(|| malformed(format!("`{pair}` is not key=value")))?;
                    let number: f64 = value.parse().map_err(|_| malformed(format!("`{value}` is not a number")))?;
                    change.insert(key.to_owned(), number.into());
                }
                let change = serde_json::from_value(change.into()).map_err(|error| malformed(error.to_string()))?;
                Ok(Self::Weather(change))
            }
            "flashback" if !rest.is_empty() => {
                let seconds = rest.parse().map_err(|_| malformed(format!("`{rest}` is not a number of seconds")))?;
                Ok(Self::Flashback { seconds })
            }
            _ if rest.is_empty() => Self::without_details(name),
            _ => Err(malformed(format!("`{name}` takes nothing after it"))),
        }
    }
}

/// Commands with the times at which they happen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// Milliseconds of the game's time since the start, also while the session stands still; in order.
    pub(crate) steps: Vec<(u64, Command)>,
}

impl Script {
    /// Reads a script: one `at SECONDS COMMAND` a line; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// Names the line that is wrong, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let mut steps = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| CommandError::Malformed(format!("line {}: {why}", number + 1));
            let (at, command) = line
                .strip_prefix("at ")
                .and_then(|rest| rest.trim_start().split_once(char::is_whitespace))
                .ok_or_else(|| wrong("expected `at SECONDS COMMAND`".to_owned()))?;
            let at_s: f64 = at.parse().map_err(|_| wrong(format!("`{at}` is not a number of seconds")))?;
            let command = Command::from_words(command.trim()).map_err(|error| wrong(error.to_string()))?;
            steps.push(((at_s.max(0.0) * 1_000.0) as u64, command));
        }
        steps.sort_by_key(|(at, _)| *at);
        Ok(Self { steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_in_order_of_time() {
        let script = Script::parse(
            "# a stint\nat 30 pit\n\nat 2.5 setup WM_PRESSURE-W_FL 12\nat 40 driver-change Jürgen Müller\n\
             at 41 weather rain=0.5 ambient_c=17\nat 50 next-session race\nat 60 flashback 4\n",
        )
        .unwrap();
        assert_eq!(script.steps[0], (2_500, Command::Setup { key: "WM_PRESSURE-W_FL".to_owned(), value: 12 }));
        assert_eq!(script.steps[1], (30_000, Command::Pit));
        assert_eq!(script.steps[2].1, Command::DriverChange { name: "Jürgen Müller".to_owned() });
        let rain = WeatherChange { rain: Some(0.5), ambient_c: Some(17.0), ..Default::default() };
        assert_eq!(script.steps[3].1, Command::Weather(rain));
        assert_eq!(script.steps[4].1, Command::NextSession { kind: SessionKind::Race });
        assert_eq!(script.steps[5].1, Command::Flashback { seconds: 4.0 });
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let wrong = |text: &str| Script::parse(text).unwrap_err().to_string();
        assert_eq!(wrong("at 1 pit\nat x pit"), "line 2: `x` is not a number of seconds");
        assert_eq!(wrong("pit"), "line 1: expected `at SECONDS COMMAND`");
        assert_eq!(wrong("at 3 fly"), "line 1: `fly` is not a command");
        assert_eq!(wrong("at 3 pit now"), "line 1: `pit` takes nothing after it");
        assert!(wrong("at 3 weather fog=1").contains("fog"));
        assert!(
            Command::from_http("setup", b"{\"key\":1}").unwrap_err().to_string().starts_with("the body of /setup: ")
        );
    }
}
