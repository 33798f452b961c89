//! `compose.yaml` without a container engine: it fits the Compose specification, and every variable,
//! port, command and binary in it exists in the code.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Services that run our binaries, and the package of each.
const OURS: [(&str, &str); 6] = [
    ("auth", "auth/server"),
    ("order", "subgraphs/order"),
    ("payment", "subgraphs/payment"),
    ("store", "subgraphs/store"),
    ("marketing", "subgraphs/marketing"),
    ("router", "router/server"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML file with its merge keys (`<<`) applied, as JSON.
fn yaml(path: &str) -> Value {
    let mut value: serde_norway::Value = serde_norway::from_str(&read(path)).expect("YAML");
    value.apply_merge().expect("merge keys");
    serde_json::to_value(value).expect("YAML with string keys")
}

fn service<'a>(compose: &'a Value, name: &str) -> &'a Value {
    compose["services"]
        .get(name)
        .unwrap_or_else(|| panic!("compose.yaml has no service {name}"))
}

#[test]
fn the_files_fit_the_compose_specification() {
    let schema: Value = serde_json::from_str(&read("tests/data/compose-spec.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    for path in ["compose.yaml", "tests/compose.servers.yaml"] {
        let errors: Vec<String> = validator
            .iter_errors(&yaml(path))
            .map(|error| format!("{path}{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    let wrong = serde_json::json!({ "services": { "a": { "imagee": "b" } } });
    assert!(!validator.is_valid(&wrong), "the schema sees an unknown key");
}

#[test]
fn every_variable_is_read_by_its_binary() {
    let compose = yaml("compose.yaml");
    for (name, package) in OURS {
        let sources = sources(package) + &sources("subgraphs/kit") + &read("deploy/router.yaml");
        let environment = service(&compose, name)["environment"]
            .as_object()
            .expect("variables");
        for variable in environment.keys() {
            assert!(
                sources.contains(variable),
                "{package} does not know the variable {variable} of service {name}"
            );
        }
    }
}

#[test]
fn every_image_has_its_target_and_binary() {
    let compose = yaml("compose.yaml");
    let dockerfile = read("Dockerfile");
    for (name, package) in OURS {
        let target = service(&compose, name)["build"]["target"]
            .as_str()
            .expect("a build target");
        let binary = format!("baedal-{target}");
        assert!(
            dockerfile.contains(&format!(
                "FROM base AS {target}\nCOPY --from=build /out/{binary} "
            )),
            "{target}"
        );
        assert!(
            read(&format!("{package}/Cargo.toml")).contains(&format!("name = \"{binary}\"")),
            "{binary} is a binary"
        );
    }
}

#[test]
fn ports_listened_on_are_those_exposed_checked_and_called() {
    let compose = yaml("compose.yaml");
    let dockerfile = read("Dockerfile");
    for (name, _) in OURS {
        let check = service(&compose, name)["healthcheck"]["test"]
            .as_array()
            .expect("a health check");
        let port = check.last().and_then(Value::as_str).expect("its port");
        let image = dockerfile
            .split("FROM base AS ")
            .find(|part| part.starts_with(&format!("{name}\n")))
            .expect("its image");
        assert!(
            image
                .lines()
                .any(|line| line.starts_with("EXPOSE") && line.contains(port)),
            "{name} exposes {port}"
        );
        if let Some(listen) = service(&compose, name)["environment"]["BAEDAL_LISTEN"].as_str() {
            assert!(
                listen.ends_with(&format!(":{port}")),
                "{name} listens on {listen} and is checked on {port}"
            );
        }
    }
    let grpc = service(&compose, "payment")["environment"]["PAYMENT_GRPC_LISTEN"]
        .as_str()
        .expect("payment's gRPC address");
    let called = service(&compose, "order")["environment"]["PAYMENT_GRPC_URL"]
        .as_str()
        .expect("order calls it");
    assert_eq!(grpc.rsplit(':').next(), called.rsplit(':').next());
    let router = read("deploy/router.yaml");
    for (name, port) in [
        ("order", 4011),
        ("payment", 4012),
        ("store", 4013),
        ("marketing", 4014),
    ] {
        assert!(
            router.contains(&format!("http://{name}:{port}/graphql")),
            "the gateway knows {name}"
        );
    }
}

#[test]
fn there_is_no_default_secret() {
    let text = read("compose.yaml");
    let secrets: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("PASSWORD") || line.contains("SECRET"))
        .collect();
    assert!(!secrets.is_empty());
    for line in secrets {
        assert!(line.contains(":?"), "a secret has no default: {line}");
    }
    for line in read(".env.example")
        .lines()
        .filter(|line| line.contains("PASSWORD"))
    {
        assert!(line.ends_with('='), "the example holds no password: {line}");
    }
}

#[test]
fn a_service_waits_only_for_services_that_exist_and_have_a_check() {
    let compose = yaml("compose.yaml");
    let names: BTreeSet<&String> = compose["services"]
        .as_object()
        .expect("services")
        .keys()
        .collect();
    for name in &names {
        for (other, _) in service(&compose, name)["depends_on"]
            .as_object()
            .into_iter()
            .flatten()
        {
            assert!(names.contains(other), "{name} waits for {other}");
            assert!(
                service(&compose, other).get("healthcheck").is_some(),
                "{other} has a health check"
            );
        }
    }
}

#[test]
fn the_gateways_configuration_is_accepted() {
    let text = read("deploy/router.yaml").replace("${env.ISSUER_URL}", "http://127.0.0.1:4001");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("router.yaml");
    fs::write(&path, text).expect("a file");
    let config =
        baedal_router::config::read(&path).expect("deploy/router.yaml is a configuration of the gateway");
    config.check().expect("and it can work");
}

fn sources(package: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![root().join(package).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                text += &fs::read_to_string(entry.path()).expect("a source file is UTF-8");
            }
        }
    }
    text
}
