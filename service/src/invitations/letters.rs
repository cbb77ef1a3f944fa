//! What the letter of an invitation says.

use crate::accounts::Email;
use crate::auth::LinkSecret;
use crate::config::Secret;
use crate::invitations::PAGE;
use crate::mail::{Letter, Link};

pub(super) fn invitation(to: &Email, team: &str, role: &str, secret: &LinkSecret) -> Letter {
    Letter {
        to: to.clone(),
        kind: "invitation",
        subject: format!("You are invited to {team}"),
        text: format!(
            "The team {team} invites you to join it on 1Lap as {role}.\n\n\
             If you do not know what this is about, ignore this letter: nothing happens.\n"
        ),
        link: Some(Link { path: PAGE, secret: Secret::new(secret.reveal()) }),
    }
}
