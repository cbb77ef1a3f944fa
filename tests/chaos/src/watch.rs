//! Looks on while the run is under way: what has died by itself, when the service is ready, what time it is in the games,
//! and whether what was acknowledged is committed at that moment.

use crate::clock::now_ms;
use crate::plan::Target;
use crate::rows::Database;
use crate::stack::{Stack, is_ready};
use crate::witness::{Ack, shown};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// How often a process is looked at.
const PROCESSES: Duration = Duration::from_millis(100);
/// How often a game's clock is.
const CLOCKS: Duration = Duration::from_millis(400);
/// How often acknowledgements are compared with what is committed.
const PLACES: Duration = Duration::from_millis(300);
/// A service that cannot reach its database ends and is started again, as any host does.
const RESTART: Duration = Duration::from_millis(300);

/// Watches processes until the run drops it.
pub async fn processes(stack: Rc<Stack>) {
    loop {
        if let Some(how) = stack.service.died() {
            let was_ready = stack.health.borrow().is_well(Target::Service);
            stack.well(Target::Service, false);
            if was_ready {
                stack.problem(how);
            } else {
                stack.say(&format!("{how}; it is started again"));
            }
            sleep(RESTART).await;
            if let Err(why) = stack.service.start() {
                stack.problem(why);
            }
        }
        let is_up = stack.service.child.borrow().is_some() && !stack.service.is_stopped.get();
        if is_up && !stack.health.borrow().is_well(Target::Service) && is_ready(stack.address).await {
            // Not where it was hit while it answered.
            let is_up = stack.service.child.borrow().is_some() && !stack.service.is_stopped.get();
            stack.well(Target::Service, is_up);
        }
        for rig in &stack.rigs {
            let died = [(&rig.agent, Target::Agent(rig.index)), (&rig.game, Target::Game(rig.index))];
            for (slot, target) in died {
                let Some(how) = slot.died() else { continue };
                stack.problem(how);
                stack.well(target, false);
                sleep(RESTART).await;
                let started = match target {
                    Target::Game(_) => rig.start_game(),
                    _ => slot.start(),
                };
                stack.well(target, started.is_ok());
            }
        }
        sleep(PROCESSES).await;
    }
}

/// Notes the games' clocks.
pub async fn clocks(stack: Rc<Stack>) {
    loop {
        for rig in &stack.rigs {
            if rig.game.child.borrow().is_some() {
                rig.look_at_clock().await;
            }
        }
        sleep(CLOCKS).await;
    }
}

/// Compares acknowledgements with what is committed at that moment: what was acknowledged before a look is in it.
pub async fn acknowledgements(stack: Rc<Stack>) {
    let mut database: Option<(String, Database)> = None;
    let mut waiting: Vec<Ack> = Vec::new();
    loop {
        sleep(PLACES).await;
        if !stack.health.borrow().is_well(Target::Postgres) {
            database = None;
            continue;
        }
        let url = stack.database_url();
        if database.as_ref().is_none_or(|(at, _)| *at != url) {
            database = Database::connect(&url, &stack.team.id).await.ok().map(|database| (url, database));
        }
        waiting.extend(stack.witness.heard().take_acks());
        let before = now_ms();
        let Some((_, connection)) = &mut database else { continue };
        let Ok(Ok(places)) = tokio::time::timeout(Duration::from_secs(5), connection.places()).await else {
            database = None;
            continue;
        };
        for ack in waiting.extract_if(.., |ack| ack.at_ms < before) {
            let committed = places.get(&ack.place.session).copied().unwrap_or_default();
            if committed < (ack.place.epoch, ack.place.sequence) {
                let at = shown(&ack.place);
                stack.problem(format!("acknowledged before it was committed: {at}; committed was {committed:?}"));
            }
        }
    }
}
