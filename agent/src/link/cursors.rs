//! Which item goes next, and on which lane. Pure: it knows the spool and who is driving, no time and no socket.
//!
//! ```text
//! one cursor    acknowledged │ in flight ▲ new: live
//!                                        record = show
//! two cursors   acknowledged │ in flight ▲ backfill … shown already, or too old for it … ▲ new: preview
//!                                        record                                          show
//! ```
//!
//! A connection begins with one cursor where little waits, and with two otherwise: the newest is shown at once. There
//! are two again when the service asks for something again. They are one as soon as the record has come up.
//!
//! Invariants: what is recorded (live and backfill) goes in order, each once, unless the service asks for it again; what
//! is shown (live and preview) never goes back; what waited when the connection began is shown only of the session that
//! runs, and what is said of a session that an earlier run of the agent left behind is never shown.

use crate::link::{About, Outbox};
use crate::spool::{Frame, Item};
use bytes::Bytes;
use onelap_protocol::SessionId;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record};
use std::collections::VecDeque;

/// Where more items than these wait at the beginning, the newest is shown first: two seconds and a half of samples.
pub const MUCH: u64 = 25;
/// Backfilled items that may be in flight: more than the service commits at a time, less than it can hold of a session.
pub const WINDOW: u64 = 600;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    /// Serial of the next item to be recorded.
    record: u64,
    /// Serial of the next item to be shown; not before `record`.
    show: u64,
    /// What has a smaller serial waited when the connection began; it is shown of this session alone.
    old: (u64, Option<SessionId>),
    /// The session that was previewed last.
    previewed: Option<SessionId>,
    /// What the session is, to be said before the first preview of it.
    intro: VecDeque<(Place, Record)>,
}

impl Cursors {
    /// At the beginning of a connection, after what is committed has left the spool.
    pub(super) fn begin(outbox: &mut Outbox) -> Self {
        let (spool, about) = (&mut outbox.spool, outbox.about.as_ref());
        let end = spool.next_serial();
        let first = spool.at(0).map_or(end, |item| item.serial);
        let old = (end, about.map(|about| about.session));
        let mut cursors = Self { record: first, show: first, old, ..Self::default() };
        if spool.items() > MUCH {
            cursors.show = end;
            if let Some(about) = about {
                let newest = spool.at(end.saturating_sub(1)).filter(|item| item.place.session == about.session);
                cursors.show = newest.as_ref().map_or(end, |item| item.serial);
                let first_shown = newest.map_or_else(|| spool.next_place(about.session), |item| item.place);
                cursors.introduce(about, first_shown);
            }
        }
        cursors
    }

    /// Says what a session is before the item at `first` is shown, at the places before it. A session's first item says
    /// it by itself.
    fn introduce(&mut self, about: &About, first: Place) {
        self.previewed = Some(about.session);
        if first.sequence <= 1 {
            return;
        }
        let setup = about.setup.as_ref().map(|(at_s, setup)| Record::Setup { at_s: *at_s, setup: (**setup).clone() });
        let facts = Record::Session { info: (*about.info).clone() };
        let mut sequence = first.sequence;
        for record in setup.into_iter().chain([facts]) {
            sequence -= 1;
            self.intro.push_front((Place { sequence, ..first }, record));
        }
    }

    /// The service wants everything after this place again.
    pub(super) fn set_back(&mut self, to: Place, outbox: &Outbox) {
        self.record = self.record.min(outbox.spool.serial_after(to));
    }

    /// There are items now that are older than all others: everything again.
    pub(super) fn start_over(&mut self) {
        self.record = 0;
    }

    /// The next message that is to be seen at once, if there is one: a preview, or what is live.
    pub(super) fn take_shown(&mut self, outbox: &mut Outbox) -> Option<Frame> {
        let item = self.shown(outbox);
        if let Some(item) = item.as_ref().filter(|item| item.serial != self.record && !self.is_previewed(item))
            && let Some(about) = outbox.about.as_ref().filter(|about| about.session == item.place.session)
        {
            self.introduce(about, item.place);
        }
        if let Some((place, record)) = self.intro.pop_front() {
            return Some(Frame::Record(json(&AgentMessage::Record { lane: Lane::Preview, place, record })));
        }
        let item = item?;
        self.show = item.serial + 1;
        if item.serial != self.record {
            self.previewed = Some(item.place.session);
            return Some(item.on(Lane::Preview));
        }
        self.record = self.show;
        // Wrong on purpose, in a build of `make chaos-proof` alone.
        #[cfg(onelap_chaos_delete_before_ack)]
        outbox.spool.ack(item.place);
        Some(item.frame)
    }

    /// Whether [`Cursors::take_shown`] would give something.
    pub(super) fn has_shown(&mut self, outbox: &mut Outbox) -> bool {
        let has_item = self.shown(outbox).is_some();
        has_item || !self.intro.is_empty()
    }

    /// The next item that is to be seen. What is not to be seen is passed over; it is backfilled.
    fn shown(&mut self, outbox: &mut Outbox) -> Option<Item> {
        let end = outbox.spool.next_serial();
        self.record = outbox.spool.at(self.record).map_or(end, |item| item.serial);
        self.show = self.show.max(self.record);
        loop {
            let item = outbox.spool.at(self.show)?;
            if self.may_be_shown(&item, outbox) {
                return Some(item);
            }
            self.show = item.serial + 1;
        }
    }

    fn may_be_shown(&self, item: &Item, outbox: &Outbox) -> bool {
        let session = item.place.session;
        let (old_end, running) = self.old;
        let is_running = outbox.about.as_ref().is_some_and(|about| about.session == session);
        let is_its_time = item.serial >= old_end || running == Some(session);
        // A session that is over before anything of it was shown is not shown from its middle on.
        let is_known = is_running || item.serial == self.record || item.place.sequence == 1 || self.is_previewed(item);
        is_its_time && is_known && !outbox.is_left_behind(session)
    }

    fn is_previewed(&self, item: &Item) -> bool {
        self.previewed == Some(item.place.session)
    }

    /// The next item that is to be recorded and not seen, if there is one and not too many are in flight.
    pub(super) fn take_backfill(&mut self, outbox: &mut Outbox) -> Option<Frame> {
        if !self.has_backfill(outbox) {
            return None;
        }
        let item = outbox.spool.at(self.record)?;
        self.record = item.serial + 1;
        Some(item.on(Lane::Backfill))
    }

    /// Whether [`Cursors::take_backfill`] would give something.
    pub(super) fn has_backfill(&mut self, outbox: &mut Outbox) -> bool {
        // Both cursors stand where they belong after this.
        let _ = self.shown(outbox);
        self.record < self.show && outbox.spool.items_before(self.record) < WINDOW
    }

    /// How many items wait to be sent, while what is recorded is behind what is shown.
    pub(super) fn behind(&self, outbox: &Outbox) -> Option<u64> {
        let waiting = || outbox.spool.items().saturating_sub(outbox.spool.items_before(self.record));
        (self.record < self.show).then(waiting)
    }

    /// Whether something of the session that runs may be said that is not recorded: the service knows the session.
    pub(super) fn is_introduced(&self, about: &About) -> bool {
        self.intro.is_empty() && about.first_serial < self.show
    }
}

/// A message as it goes over the wire.
pub(super) fn json(message: &AgentMessage) -> Bytes {
    // Only a map whose keys are not text cannot be JSON, and there is none.
    serde_json::to_vec(message).unwrap_or_default().into()
}
