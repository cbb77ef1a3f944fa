//! The service's program: parse, configure, build, run.

use onelap_service::app::App;
use onelap_service::config::{Config, LogFormat};
use onelap_service::{db, openapi, telemetry};
use std::error::Error;
use std::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: onelap-service [serve | migrate | openapi]

  serve     migrate the database and serve (the default)
  migrate   migrate the database and end
  openapi   print the description of the HTTP API

Settings come from the environment; the README lists them.";

fn main() -> std::process::ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        None | Some("serve") => actix_web::rt::System::new().block_on(serve()),
        Some("migrate") => actix_web::rt::System::new().block_on(migrate()),
        Some("openapi") => openapi::text().map(|text| print!("{text}")).map_err(Into::into),
        Some("-h" | "--help" | "help") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("\"{other}\" is not known\n\n{USAGE}").into()),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onelap-service: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    telemetry::init(LogFormat::from_env()?);
    let config = Config::from_env()?;
    let listen = config.http.listen;
    let listener = TcpListener::bind(listen).map_err(|error| format!("LISTEN {listen}: {error}"))?;
    let app = App::build(config, listener).await?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    app.run(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await?;
    Ok(())
}

async fn migrate() -> Result<(), Box<dyn Error>> {
    telemetry::init(LogFormat::from_env()?);
    db::migrate(Config::from_env()?.database.owner).await?;
    tracing::info!("the database is up to date");
    Ok(())
}
