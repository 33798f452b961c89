//! compose.yaml and the Dockerfile.
use super::{PARTS, at, documents, list, string, text, variables_read};
use crate::root;

#[test]
fn every_variable_of_compose_is_one_the_binary_reads() {
    let compose = &documents("compose.yaml")[0];
    for (name, _, folder) in PARTS {
        let given = at(compose, &format!("services/{name}/environment"));
        let given = given.as_mapping().expect("an environment");
        let read = variables_read(folder);
        for variable in given.keys().filter_map(|key| key.as_str()) {
            assert!(read.contains(variable), "{name} does not read {variable}");
        }
    }
}

#[test]
fn every_variable_of_compose_that_is_asked_for_is_explained() {
    let example = text(".env.example");
    for piece in text("compose.yaml").split("${").skip(1) {
        let name = piece.split([':', '}']).next().unwrap_or_default();
        assert!(
            example.lines().any(|line| line.starts_with(&format!("{name}="))),
            ".env.example lacks {name}"
        );
    }
}

#[test]
fn compose_builds_checks_and_publishes_what_the_dockerfile_makes() {
    let compose = &documents("compose.yaml")[0];
    let dockerfile = text("Dockerfile");
    for (name, _, folder) in PARTS {
        let service = at(compose, &format!("services/{name}"));
        assert_eq!(string(service, "build/target"), name);
        let stage = stage(&dockerfile, name);
        assert!(
            stage.contains(&format!("ENTRYPOINT [\"baedal-{name}\"]")),
            "{name}: {stage}"
        );
        let manifest = text(&format!("{folder}/Cargo.toml"));
        assert!(
            manifest.contains(&format!("name = \"baedal-{name}\"")),
            "{folder} makes no baedal-{name}"
        );
        assert!(
            dockerfile.contains(&format!("--package baedal-{name}")),
            "baedal-{name} is not built"
        );
        let checked = list(service, "healthcheck/test")
            .last()
            .and_then(|port| port.as_str());
        let exposed = exposed(stage);
        assert_eq!(
            checked,
            exposed.first().copied(),
            "{name} is checked where it listens"
        );
        for listens in ["BAEDAL_LISTEN", "PAYMENT_GRPC_LISTEN"] {
            let address = at(service, &format!("environment/{listens}"));
            let port = address.as_str().and_then(|address| address.rsplit(':').next());
            assert!(
                port.is_none_or(|port| exposed.contains(&port)),
                "{name} exposes {address:?}"
            );
        }
        for published in list(service, "ports") {
            let port = published
                .as_str()
                .and_then(|published| published.rsplit(':').next());
            assert_eq!(port, exposed.first().copied(), "{name} publishes its port");
        }
    }
}

#[test]
fn whoever_is_stopped_serves_on_until_nobody_sends_a_mutation_there() {
    let compose = &documents("compose.yaml")[0];
    for (name, ..) in PARTS.into_iter().filter(|(name, ..)| *name != "router") {
        let delay = string(compose, &format!("services/{name}/environment/SHUTDOWN_DELAY_MS"));
        assert!(
            delay.parse::<u64>().is_ok_and(|delay| delay > 1_000),
            "{name}: {delay}"
        );
    }
    let delay = string(&documents("deploy/router.yaml")[0], "traffic/shutdown_delay").to_owned();
    let delay = delay.strip_suffix("ms").expect("milliseconds");
    assert!(delay.parse::<u64>().is_ok_and(|delay| delay > 1_000), "{delay}");
}

#[test]
fn secrets_of_compose_come_from_outside() {
    for service in ["order", "payment"] {
        let path = format!("services/{service}/environment/PAYMENT_GRPC_KEY");
        let key = string(&documents("compose.yaml")[0], &path).to_owned();
        assert!(key.starts_with("${PAYMENT_GRPC_KEY:?"), "{service}: {key}");
    }
}

#[test]
fn what_compose_refers_to_is_there() {
    let compose = &documents("compose.yaml")[0];
    let services = at(compose, "services").as_mapping().expect("services");
    for (name, service) in services {
        let needs = at(service, "depends_on").as_mapping();
        for needed in needs.into_iter().flat_map(|needs| needs.keys()) {
            assert!(services.contains_key(needed), "{name:?} depends on {needed:?}");
        }
        for config in list(service, "configs") {
            let source = at(compose, &format!("configs/{}", string(config, "source")));
            assert!(!source.is_null(), "{name:?} takes {config:?}");
        }
        for volume in list(service, "volumes") {
            let volume = volume
                .as_str()
                .and_then(|volume| volume.split(':').next())
                .expect("a volume");
            assert!(
                at(compose, "volumes").get(volume).is_some(),
                "{name:?} mounts {volume}"
            );
        }
    }
    assert!(root().join(string(compose, "configs/router/file")).exists());
    for line in text("Dockerfile")
        .lines()
        .filter(|line| line.starts_with("COPY deploy/"))
    {
        let file = line.split_whitespace().nth(1).expect("a file");
        assert!(root().join(file).exists(), "{file}");
    }
}

#[test]
fn the_image_has_the_compiler_of_the_toolchain_file() {
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain
        .split("channel = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a channel");
    assert!(
        text("Dockerfile").contains(&format!("FROM rust:{channel}-")),
        "the Dockerfile builds with another compiler than {channel}"
    );
}

/// The lines of one stage of the Dockerfile.
fn stage<'a>(dockerfile: &'a str, name: &str) -> &'a str {
    let begin = format!("FROM base AS {name}\n");
    let rest = dockerfile
        .split(&begin)
        .nth(1)
        .unwrap_or_else(|| panic!("no stage {name}"));
    rest.split("\nFROM ").next().unwrap_or(rest)
}

fn exposed(stage: &str) -> Vec<&str> {
    let line = stage.lines().find_map(|line| line.strip_prefix("EXPOSE "));
    line.unwrap_or_default().split_whitespace().collect()
}
