//! What the service writes to people.
//!
//! Invariant: nothing that somebody else typed is in a letter to an address that they may not own: no name, no team.

use crate::accounts::Email;
use crate::config::Secret;
use crate::mail::{Letter, Link};

const NOT_YOU: &str = "If this was not you, there is nothing to do: without the link nothing happens.";
const NOT_YOU_BUT_INSIDE: &str = "If this was not you, somebody knows your password or sits at your screen: change the password, and end the other \
     log-ins on your account's page.";

fn letter(to: &Email, kind: &'static str, subject: &str, text: String, link: Option<(&'static str, Secret)>) -> Letter {
    let link = link.map(|(path, secret)| Link { path, secret });
    Letter { to: to.clone(), kind, subject: subject.to_owned(), text, link }
}

pub(super) fn finish_signup(to: &Email, secret: Secret) -> Letter {
    let text = format!(
        "Somebody signed up for 1Lap with this address. To finish, open this link within a day and enter the password \
         that you chose.\n\n{NOT_YOU}"
    );
    letter(to, "signup", "Finish signing up for 1Lap", text, Some(("/signup/finish", secret)))
}

pub(super) fn has_account(to: &Email) -> Letter {
    let text =
        "Somebody wanted to use this address for a 1Lap account. It has one already: log in with it, or ask for a \
                new password there if you do not know it any more.\n\nIf this was not you, there is nothing to do."
            .to_owned();
    letter(to, "has-account", "You have a 1Lap account", text, None)
}

pub(super) fn verify(to: &Email, secret: Secret) -> Letter {
    let text = format!("To confirm that this address is yours, open this link within a day.\n\n{NOT_YOU}");
    letter(to, "verify", "Confirm your address for 1Lap", text, Some(("/confirm-email", secret)))
}

pub(super) fn change_email(to: &Email, secret: Secret) -> Letter {
    let text =
        format!("To use this address for your 1Lap account from now on, open this link within a day.\n\n{NOT_YOU}");
    letter(to, "change-email", "Confirm your new address for 1Lap", text, Some(("/confirm-email", secret)))
}

pub(super) fn email_change_asked(to: &Email) -> Letter {
    let text = format!(
        "A new address was asked for on your 1Lap account. It is used once its mailbox has confirmed it.\n\n\
         {NOT_YOU_BUT_INSIDE}"
    );
    letter(to, "email-change-asked", "A new address for your 1Lap account", text, None)
}

pub(super) fn email_changed(to: &Email) -> Letter {
    let text = format!(
        "Your 1Lap account uses another address from now on; this one is no longer used.\n\n{NOT_YOU_BUT_INSIDE}"
    );
    letter(to, "email-changed", "The address of your 1Lap account was changed", text, None)
}

pub(super) fn reset(to: &Email, secret: Secret) -> Letter {
    let text = format!("To choose a new password for 1Lap, open this link within an hour.\n\n{NOT_YOU}");
    letter(to, "reset", "A new password for 1Lap", text, Some(("/reset", secret)))
}

/// Something about how somebody logs in was changed.
pub(super) fn notice(to: &Email, what: &str) -> Letter {
    letter(to, "notice", "Your 1Lap account", format!("{what}\n\n{NOT_YOU_BUT_INSIDE}"), None)
}

pub(super) fn deleted(to: &Email) -> Letter {
    let text = "Your 1Lap account was deleted, as you asked. We keep nothing that is yours.".to_owned();
    letter(to, "deleted", "Your 1Lap account was deleted", text, None)
}
