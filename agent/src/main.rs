//! `onelap-agent`: see [`onelap_agent::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    onelap_agent::cli::main()
}
