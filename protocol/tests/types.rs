//! The web app's types, written from the wire's own: `web/src/lib/protocol.gen.ts`.
//!
//! The file is committed; this test fails when it drifts and writes it anew with `UPDATE_GENERATED=1`.
#![cfg(feature = "ts")]
#![expect(clippy::unwrap_used, reason = "helpers of a test: what fails here fails the test")]

use onelap_protocol::batch::{FORMAT, MAX_TRACE_SAMPLES, OPCODE_SAMPLES, OPCODE_TRACE};
use onelap_protocol::channel::{ABSENT, CHANNELS};
use onelap_protocol::limits::{MAX_BATCH_CHANNELS, MAX_BATCH_SAMPLES, MAX_CARS, MAX_TEXT};
use onelap_protocol::{ErrorCode, VIEWER_SUBPROTOCOL, agent, ids, race, setup, standings, viewer};
use std::fmt::Write;
use std::path::Path;
use ts_rs::{Config, TS};

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/lib/protocol.gen.ts");

fn declare<T: TS>(out: &mut String, cfg: &Config) {
    if let Some(docs) = T::docs() {
        out.push_str(&docs);
    }
    writeln!(out, "export {}\n", T::decl(cfg)).unwrap();
}

macro_rules! declare_all {
    ($out:expr, $cfg:expr, $($ty:ty),* $(,)?) => { $(declare::<$ty>($out, $cfg);)* };
}

fn types(out: &mut String) {
    // Every number of the wire is below 2^53: milliseconds, sequences, epochs.
    let cfg = Config::new().with_large_int("number");
    declare_all!(
        out,
        &cfg,
        ids::TeamId,
        ids::UserId,
        ids::RigId,
        ids::TokenId,
        ids::SessionId,
        ids::CarKey,
        ErrorCode,
        race::Game,
        race::SessionKind,
        race::GameState,
        race::SessionInfo,
        race::Phase,
        race::PitState,
        race::FinishState,
        race::CarStanding,
        race::Standings,
        race::Lap,
        race::PitStep,
        race::NoteTopic,
        race::RaceEvent,
        setup::SetupArea,
        setup::Corner,
        setup::SetupItem,
        setup::Setup,
        agent::EndReason,
        agent::SpoolState,
        viewer::RigState,
        viewer::RigSession,
        viewer::Consumption,
        viewer::SeenUpTo,
        viewer::ViewerMessage,
        viewer::ViewMessage,
    );
}

fn constants(out: &mut String) {
    writeln!(out, "export const VIEWER_SUBPROTOCOL = {VIEWER_SUBPROTOCOL:?};").unwrap();
    writeln!(out, "export const OPCODE_SAMPLES = {OPCODE_SAMPLES};").unwrap();
    writeln!(out, "export const OPCODE_TRACE = {OPCODE_TRACE};").unwrap();
    writeln!(out, "export const BATCH_FORMAT = {FORMAT};").unwrap();
    writeln!(out, "export const MAX_BATCH_SAMPLES = {MAX_BATCH_SAMPLES};").unwrap();
    writeln!(out, "export const MAX_TRACE_SAMPLES = {MAX_TRACE_SAMPLES};").unwrap();
    writeln!(out, "export const MAX_BATCH_CHANNELS = {MAX_BATCH_CHANNELS};").unwrap();
    writeln!(out, "export const OPCODE_STANDINGS = {};", standings::OPCODE).unwrap();
    writeln!(out, "export const STANDINGS_FORMAT = {};", standings::FORMAT).unwrap();
    writeln!(out, "export const MAX_CARS = {MAX_CARS};").unwrap();
    writeln!(out, "export const MAX_TEXT = {MAX_TEXT};").unwrap();
    writeln!(out, "/** A quantised value that is not there. */\nexport const ABSENT = {ABSENT};\n").unwrap();
}

fn catalogue(out: &mut String) {
    out.push_str("/** The channel catalogue; a channel's number is its place. */\nexport const CHANNELS = [\n");
    for info in CHANNELS {
        writeln!(
            out,
            "  {{ number: {}, name: {:?}, unit: {:?}, quantum: {}, group: {:?} }},",
            info.channel.number(),
            info.name,
            info.unit,
            info.quantum,
            info.group.name()
        )
        .unwrap();
    }
    out.push_str("] as const;\n\nexport type ChannelName = (typeof CHANNELS)[number]['name'];\n");
    out.push_str("export type ChannelGroup = (typeof CHANNELS)[number]['group'];\n\n");
    out.push_str("/** The number of each channel. */\nexport const Channel = {\n");
    for info in CHANNELS {
        writeln!(out, "  {:?}: {},", info.channel, info.channel.number()).unwrap();
    }
    out.push_str("} as const;\n");
}

#[test]
fn the_web_apps_types_are_those_of_the_wire() {
    let mut text = String::from(
        "// Generated from the crate `protocol` by its test `types`; `make types` writes it anew. Do not edit.\n\n",
    );
    types(&mut text);
    constants(&mut text);
    catalogue(&mut text);
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    let path = Path::new(TARGET);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "{TARGET} is out of date: run `make types` and commit it");
}
