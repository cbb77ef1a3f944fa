//! LMU's REST bodies: any bytes under any path of the list parse or are refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::source::lmu::bodies::parse;
use onelap_agent::source::lmu::endpoint::Endpoint;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    // All of them: a body under a path that is not its own must do no harm either.
    for endpoint in Endpoint::ALL {
        if let Err(error) = parse(endpoint.path(), data) {
            drop(error.to_string());
        }
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = onelap_fuzz::recorded("lmu-rest", ".json");
    // Small ones are mutated faster.
    seeds.extend(
        [
            r#"{"WM_PRESSURE-W_FL":{"key":"WM_PRESSURE-W_FL","value":12,"minValue":0,"maxValue":80,"stringValue":"172 kPa","available":true}}"#,
            r#"{"isReplayActive":false,"inMonitor":true,"inControlOfVehicle":null,"gamePhase":"GPHASE_GREEN"}"#,
            r#"{"session":"RACE1","maxTime":14400.0,"trackName":"Spa"}"#,
            r#"[{"slotID":3,"carNumber":"51","fullTeamName":"AF Corse","driverName":"A B","player":true}]"#,
            r#"{"activeSetup":"race_v2","setups":[]}"#,
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}
