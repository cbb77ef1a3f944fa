//! Whether and where to traces go: the variables that OpenTelemetry names, as far as they mean something here.

use super::text;
use crate::config::{ConfigError, Lookup, optional, parsed, wrong};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// What is traced where nothing else is said.
const SHARE: f64 = 0.01;

/// Traces.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TracesConfig {
    /// Where spans are posted to (`OTEL_EXPORTER_OTLP_ENDPOINT`); without it, nothing is traced.
    pub endpoint: Option<String>,
    /// Of requests and of batches this share is traced, 0 to 1 (`OTEL_TRACES_SAMPLER_ARG`).
    pub share: f64,
    /// What the service is called (`OTEL_SERVICE_NAME`) and what else is said of this instance
    /// (`OTEL_RESOURCE_ATTRIBUTES`).
    pub attributes: Vec<(String, String)>,
}

impl TracesConfig {
    pub(crate) fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let endpoint = optional(env, "OTEL_EXPORTER_OTLP_ENDPOINT").map(|text| endpoint(&text)).transpose()?;
        let mut attributes = attributes(&optional(env, "OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default())?;
        let name = optional(env, "OTEL_SERVICE_NAME");
        if name.is_some() || !attributes.iter().any(|(key, _)| key == "service.name") {
            attributes.retain(|(key, _)| key != "service.name");
            attributes.insert(0, ("service.name".into(), name.unwrap_or_else(|| "onelap".into())));
        }
        Ok(Self { endpoint, share: share(env)?, attributes })
    }

    pub(super) fn resource(&self) -> Resource {
        let attributes = self.attributes.iter().map(|(key, value)| text(key, value)).collect();
        Resource { attributes, ..Resource::default() }
    }
}

fn endpoint(address: &str) -> Result<String, ConfigError> {
    const VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const WHAT: &str = "the address of an OTLP collector (HTTP) in the private network, http://collector:4318";
    if address.starts_with("https://") {
        let problem = format!("TLS to the collector is not built in; it is {WHAT}, which passes on what it takes");
        return Err(wrong(VARIABLE, problem));
    }
    let is_right = address.parse::<ureq::http::Uri>().is_ok_and(|uri| {
        let host = uri.authority().map(ureq::http::uri::Authority::as_str);
        uri.scheme_str() == Some("http") && host.is_some_and(|host| !host.contains('@')) && uri.query().is_none()
    });
    // What stands there may hold a password, where it should not.
    if is_right {
        Ok(format!("{}/v1/traces", address.trim_end_matches('/')))
    } else {
        Err(wrong(VARIABLE, format!("cannot be read; it is {WHAT}")))
    }
}

fn share(env: Lookup<'_>) -> Result<f64, ConfigError> {
    const VARIABLE: &str = "OTEL_TRACES_SAMPLER_ARG";
    const WHAT: &str = "a share from 0 to 1, such as 0.01";
    let share: f64 = parsed(env, VARIABLE, WHAT, SHARE)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(wrong(VARIABLE, format!("\"{share}\" is not {WHAT}")));
    }
    match optional(env, "OTEL_TRACES_SAMPLER").as_deref() {
        None | Some("traceidratio") => Ok(share),
        Some("always_on") => Ok(1.0),
        Some("always_off") => Ok(0.0),
        Some(other) => {
            Err(wrong("OTEL_TRACES_SAMPLER", format!("\"{other}\" is none of traceidratio, always_on, always_off")))
        }
    }
}

/// Reads `service.instance.id=a,deployment.environment=race`.
fn attributes(text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
            _ => Err(wrong(
                "OTEL_RESOURCE_ATTRIBUTES",
                format!("\"{pair}\" is not name=value; pairs are split by commas"),
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<TracesConfig, ConfigError> {
        TracesConfig::from_lookup(&|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn traces_are_off_until_somebody_says_where_to() {
        let config = read(&[]).unwrap();
        assert_eq!((config.endpoint, config.share), (None, SHARE));
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel-collector:4318/"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
            ("OTEL_SERVICE_NAME", "relay"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=a, deployment.environment=race"),
        ])
        .unwrap();
        assert_eq!((config.endpoint.as_deref(), config.share), (Some("http://otel-collector:4318/v1/traces"), 0.5));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let said =
            [pair("service.name", "relay"), pair("service.instance.id", "a"), pair("deployment.environment", "race")];
        assert_eq!(config.attributes, said);
        assert_eq!(read(&[("OTEL_TRACES_SAMPLER", "always_on")]).unwrap().share, 1.0);
    }

    #[test]
    fn what_is_wrong_is_named_without_showing_secrets() {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://hunter2.example"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:hunter2@collector:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
            ("OTEL_TRACES_SAMPLER_ARG", "NaN"),
            ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
