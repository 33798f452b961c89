//! Where traces go, from the environment that all OpenTelemetry programs read.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use super::Sampler;

/// What a tracer must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the service in its traces.
    pub service: String,
    /// The collector's address for traces, path included.
    pub endpoint: Uri,
    /// Header fields for it.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Which traces are kept.
    pub sampler: Sampler,
    /// How long a span waits for others at most, before they are sent together.
    pub pause: Duration,
    /// How long the collector may take.
    pub timeout: Duration,
}

/// A variable with a value that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{name} is {value:?}: {wanted}")]
pub struct SettingsError {
    name: &'static str,
    value: String,
    wanted: &'static str,
}

impl Settings {
    /// For a collector, where the OTLP/HTTP receiver listens (`http://localhost:4318`).
    pub fn to(service: &str, base: &str) -> Result<Settings, SettingsError> {
        let endpoint = format!("{}/v1/traces", base.trim_end_matches('/'));
        Ok(Settings {
            service: service.to_owned(),
            endpoint: address("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)?,
            headers: Vec::new(),
            sampler: Sampler::default(),
            pause: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
        })
    }

    /// From an environment; nothing without an endpoint. `service` is the name if the environment gives none.
    pub fn of(
        service: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Settings>, SettingsError> {
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if given("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let name = given("OTEL_SERVICE_NAME").unwrap_or_else(|| service.to_owned());
        let own = given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let mut settings = match (own, given("OTEL_EXPORTER_OTLP_ENDPOINT")) {
            (Some(whole), _) => Settings {
                endpoint: address("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &whole)?,
                ..Settings::to(&name, "http://localhost:4318")?
            },
            (None, Some(base)) => Settings::to(&name, &base)?,
            (None, None) => return Ok(None),
        };
        if let Some(text) = given("OTEL_EXPORTER_OTLP_HEADERS") {
            settings.headers = headers(&text)?;
        }
        if let Some(sampler) = given("OTEL_TRACES_SAMPLER") {
            let argument = given("OTEL_TRACES_SAMPLER_ARG");
            settings.sampler = Sampler::named(&sampler, argument.as_deref()).ok_or(SettingsError {
                name: "OTEL_TRACES_SAMPLER",
                value: sampler,
                wanted: "use always_on, always_off or traceidratio (with OTEL_TRACES_SAMPLER_ARG in 0..1), or parentbased_ and one of them",
            })?;
        }
        Ok(Some(settings))
    }
}

fn address(name: &'static str, value: &str) -> Result<Uri, SettingsError> {
    let parsed = value.parse::<Uri>().ok();
    let usable =
        parsed.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some());
    usable.ok_or_else(|| SettingsError {
        name,
        value: value.to_owned(),
        wanted: "use http://HOST:PORT or https://HOST:PORT, where a collector takes OTLP over HTTP (port 4318)",
    })
}

/// `name=value,name=value`. The value is a secret often enough, so that an error does not show it.
fn headers(text: &str) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
    };
    let fields: Option<Vec<_>> = text.split(',').map(field).collect();
    fields.ok_or_else(|| SettingsError {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        value: "…".to_owned(),
        wanted: "use name=value,name=value",
    })
}
