//! `baedal-router check-config`: whether a gateway could start with these files.

use std::path::Path;
use std::process::ExitCode;

use super::CheckConfigArgs;
use crate::config::{Config, Layers};
use crate::supergraph::{SupergraphProblem, trial};

pub const HELP: &str = "\
Tells everything that is wrong with a configuration, each with file, line and column, and exits with 1; or exits with 0.
Several files are merged as `serve --config A --config B` does. Files that the configuration names must be there, and
certificates and keys must be readable as such.
With --with-graph the graph is tried, too: live subgraphs are asked for their SDL, all are composed, and the supergraph is
read as `serve` would.

Examples:
  baedal-router check-config router.yaml
  baedal-router check-config router.yaml production.yaml --with-graph";

/// Checks and tells.
pub async fn run(args: CheckConfigArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
    let config = match Layers::of(args.files).load() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut problems = unusable_files(&config);
    if args.with_graph && problems.is_empty() {
        let tried = trial(&config).await;
        problems.extend(tried.err().iter().flat_map(SupergraphProblem::reasons));
    }
    if !problems.is_empty() {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        return Ok(ExitCode::FAILURE);
    }
    println!("{}: no problem found", names.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Files that are not there, or not what they should be. Folders are made when they are needed.
fn unusable_files(config: &Config) -> Vec<String> {
    let told = |(key, file): (String, String)| {
        let wrong = unusable(&key, Path::new(&file))?;
        Some(format!("configuration key `{key}` names {file}, which {wrong}"))
    };
    config.files().into_iter().filter_map(told).collect()
}

fn unusable(key: &str, file: &Path) -> Option<String> {
    if key.ends_with("_dir") {
        return (file.exists() && !file.is_dir()).then(|| "is no folder".to_owned());
    }
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) => return Some(format!("cannot be read: {error}")),
    };
    let is_pem = text.windows(5).take(64).any(|window| window == b"-----");
    let expected = ["cert", "key", "ca", "pem"];
    let name = key.rsplit('.').next().unwrap_or_default();
    let by_name = expected
        .iter()
        .any(|part| name == *part || name.starts_with(&format!("{part}_")));
    (is_pem || by_name).then(|| pem(&text)).flatten()
}

/// Why this holds no certificate and no key.
fn pem(text: &[u8]) -> Option<String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let mut certificates = 0;
    for each in CertificateDer::pem_slice_iter(text) {
        match each {
            Ok(_) => certificates += 1,
            Err(error) => return Some(format!("holds a certificate that cannot be read: {error}")),
        }
    }
    if certificates == 0 && PrivateKeyDer::from_pem_slice(text).is_err() {
        return Some("holds neither a certificate nor a private key in PEM".to_owned());
    }
    None
}
