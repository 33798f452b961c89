//! The manifests of the six parts.
use std::collections::BTreeSet;

use serde_norway::Value;

use super::{PARTS, at, documents, list, source, string, text, variables_read};

const BASE: &str = "deploy/kubernetes/base";
const PRODUCTION: &str = "deploy/kubernetes/overlays/production";
/// Variables that nobody but a secret may hold.
const SECRETS: [&str; 2] = ["DATABASE_URL", "PAYMENT_GRPC_KEY"];
/// What draining may take: 10 s in services and auth, 20 s in the gateway, and the workers' end after it.
const DRAINING: u64 = 25;

/// The document of this kind among a part's.
fn of_kind(part: &str, kind: &str) -> Value {
    let documents = documents(&format!("{BASE}/{part}.yaml"));
    let found = documents
        .into_iter()
        .find(|document| string(document, "kind") == kind);
    found.unwrap_or_else(|| panic!("{part} has no {kind}"))
}

fn pod(part: &str) -> Value {
    at(&of_kind(part, "Deployment"), "spec/template/spec").clone()
}

fn container(part: &str) -> Value {
    at(&pod(part), "containers/0").clone()
}

fn port(part: &str, name: &str) -> Option<u64> {
    let container = container(part);
    let port = list(&container, "ports")
        .iter()
        .find(|port| string(port, "name") == name);
    port.and_then(|port| at(port, "containerPort").as_u64())
}

/// The value of a variable that is written down.
fn variable(part: &str, name: &str) -> Option<String> {
    let container = container(part);
    let variable = list(&container, "env")
        .iter()
        .find(|variable| string(variable, "name") == name);
    variable.and_then(|variable| at(variable, "value").as_str().map(str::to_owned))
}

#[test]
fn every_variable_is_one_the_binary_reads() {
    for (_, part, folder) in PARTS {
        let (container, read) = (container(part), variables_read(folder));
        for variable in list(&container, "env") {
            let name = string(variable, "name");
            assert!(read.contains(name), "{part} does not read {name}");
        }
    }
}

#[test]
fn every_variable_that_compose_gives_is_given() {
    let compose = &documents("compose.yaml")[0];
    for (name, part, _) in PARTS {
        let container = container(part);
        let given: BTreeSet<&str> = list(&container, "env")
            .iter()
            .map(|variable| string(variable, "name"))
            .collect();
        let wanted = at(compose, &format!("services/{name}/environment"));
        for variable in wanted.as_mapping().expect("an environment").keys() {
            let variable = variable.as_str().expect("a name");
            // Stores that work by themselves are a demonstration.
            assert!(
                variable == "STORE_AUTO" || given.contains(variable),
                "{part} is not given {variable}"
            );
        }
    }
}

#[test]
fn ports_are_those_the_binaries_listen_on() {
    for (_, part, _) in PARTS {
        let listen = variable(part, "BAEDAL_LISTEN")
            .unwrap_or_else(|| string(&documents("deploy/router.yaml")[0], "listen").to_owned());
        let http = port(part, "http").expect("a port called http");
        assert_eq!(listen, format!("0.0.0.0:{http}"), "{part}");
        let service = of_kind(part, "Service");
        for served in list(&service, "spec/ports") {
            let target = port(part, string(served, "targetPort"));
            assert_eq!(
                at(served, "port").as_u64(),
                target,
                "{part} is reached where it listens"
            );
        }
        let annotations = at(&of_kind(part, "Deployment"), "spec/template/metadata/annotations").clone();
        let scraped = annotations.get("prometheus.io/port").and_then(Value::as_str);
        let scraped: u64 = scraped.and_then(|port| port.parse().ok()).expect("a port");
        let container = container(part);
        let ports: Vec<Option<u64>> = list(&container, "ports")
            .iter()
            .map(|port| at(port, "containerPort").as_u64())
            .collect();
        assert!(
            ports.contains(&Some(scraped)),
            "{part} is scraped on a port of its own"
        );
    }
    let of_auth = port("auth", "metrics").map(|port| format!("0.0.0.0:{port}"));
    assert_eq!(variable("auth", "BAEDAL_METRICS_LISTEN"), of_auth);
    let of_gateway = port("gateway", "metrics").map(|port| format!("0.0.0.0:{port}"));
    let router = &documents("deploy/router.yaml")[0];
    assert_eq!(at(router, "metrics/listen").as_str(), of_gateway.as_deref());
    let grpc = port("payment", "grpc").expect("gRPC");
    assert_eq!(
        variable("payment", "PAYMENT_GRPC_LISTEN"),
        Some(format!("0.0.0.0:{grpc}"))
    );
    assert_eq!(
        variable("order", "PAYMENT_GRPC_URL"),
        Some(format!("http://payment:{grpc}"))
    );
}

#[test]
fn subgraphs_are_where_the_gateway_asks() {
    let router = &documents("deploy/router.yaml")[0];
    for (_, part, folder) in PARTS
        .iter()
        .filter(|(.., folder)| folder.starts_with("subgraphs/"))
    {
        let url = string(router, &format!("subgraphs/{part}/url"));
        let port = port(part, "http").expect("a port");
        assert_eq!(url, format!("http://{part}:{port}/graphql"), "{folder}");
    }
}

#[test]
fn probes_ask_for_paths_that_are_served() {
    for (_, part, folder) in PARTS {
        let code = match folder.starts_with("subgraphs/") {
            true => source("subgraphs/kit"),
            false => source(folder),
        };
        let container = container(part);
        for (probe, path) in [
            ("startupProbe", "/health/live"),
            ("livenessProbe", "/health/live"),
            ("readinessProbe", "/health/ready"),
        ] {
            assert_eq!(
                string(&container, &format!("{probe}/httpGet/path")),
                path,
                "{part}"
            );
            assert_eq!(
                string(&container, &format!("{probe}/httpGet/port")),
                "http",
                "{part}"
            );
            assert!(code.contains(&format!("\"{path}\"")), "{folder} serves {path}");
        }
    }
}

#[test]
fn images_are_stages_of_the_dockerfile_and_named_in_the_overlay() {
    let dockerfile = text("Dockerfile");
    let overlay = &documents(&format!("{PRODUCTION}/kustomization.yaml"))[0];
    let named: Vec<&str> = list(overlay, "images")
        .iter()
        .map(|image| string(image, "name"))
        .collect();
    for (image, part, _) in PARTS {
        let container = container(part);
        assert_eq!(string(&container, "image"), format!("baedal/{image}"));
        assert!(dockerfile.contains(&format!("FROM base AS {image}\n")), "{image}");
        assert!(
            named.contains(&string(&container, "image")),
            "the overlay names {image}"
        );
    }
}

#[test]
fn pods_have_no_rights_and_end_in_order() {
    for (_, part, _) in PARTS {
        let (pod, container) = (pod(part), container(part));
        assert_eq!(
            at(&pod, "securityContext/runAsNonRoot").as_bool(),
            Some(true),
            "{part}"
        );
        assert_eq!(
            at(&pod, "automountServiceAccountToken").as_bool(),
            Some(false),
            "{part}"
        );
        assert_eq!(
            string(&pod, "securityContext/seccompProfile/type"),
            "RuntimeDefault",
            "{part}"
        );
        let security = at(&container, "securityContext");
        assert_eq!(
            at(security, "readOnlyRootFilesystem").as_bool(),
            Some(true),
            "{part}"
        );
        assert_eq!(
            at(security, "allowPrivilegeEscalation").as_bool(),
            Some(false),
            "{part}"
        );
        assert_eq!(string(security, "capabilities/drop/0"), "ALL", "{part}");
        let user = at(&pod, "securityContext/runAsUser").as_u64().expect("a user");
        assert!(text("Dockerfile").contains(&format!("USER {user}\n")), "{part}");
        assert!(at(&container, "resources/limits/memory").is_string(), "{part}");
        let pause = string(&container, "lifecycle/preStop/exec/command/1")
            .parse::<u64>()
            .expect("seconds");
        let grace = at(&pod, "terminationGracePeriodSeconds")
            .as_u64()
            .expect("seconds");
        let draining = if part == "gateway" {
            DRAINING
        } else {
            DRAINING - 10
        };
        assert!(grace >= pause + draining, "{part} is killed while it drains");
        for variable in list(&container, "env") {
            let is_secret = SECRETS.contains(&string(variable, "name"));
            let by_reference = at(variable, "valueFrom/secretKeyRef/name").is_string();
            assert_eq!(
                is_secret, by_reference,
                "{part}: secrets, and only they, are referred to"
            );
        }
    }
}

#[test]
fn every_part_scales_and_survives_a_nodes_end() {
    for (_, part, _) in PARTS {
        let deployment = of_kind(part, "Deployment");
        assert!(
            at(&deployment, "spec/replicas").is_null(),
            "{part}: the autoscaler says how many"
        );
        let rolling = at(&deployment, "spec/strategy/rollingUpdate");
        assert_eq!(at(rolling, "maxUnavailable").as_u64(), Some(0), "{part}");
        assert!(at(rolling, "maxSurge").as_u64() >= Some(1), "{part}");
        let labels = at(&deployment, "spec/template/metadata/labels");
        let scaler = of_kind(part, "HorizontalPodAutoscaler");
        assert_eq!(string(&scaler, "spec/scaleTargetRef/name"), part);
        assert!(at(&scaler, "spec/minReplicas").as_u64() >= Some(2), "{part}");
        let budget = of_kind(part, "PodDisruptionBudget");
        assert_eq!(at(&budget, "spec/selector/matchLabels"), labels, "{part}");
        let service = of_kind(part, "Service");
        assert_eq!(at(&service, "spec/selector"), labels, "{part}");
        assert_eq!(at(&deployment, "spec/selector/matchLabels"), labels, "{part}");
    }
}

#[test]
fn what_is_referred_to_is_made() {
    let base = &documents(&format!("{BASE}/kustomization.yaml"))[0];
    let maps = list(base, "configMapGenerator");
    let literals = |name: &str| {
        let map = maps
            .iter()
            .find(|map| string(map, "name") == name)
            .expect("a config map");
        list(map, "literals")
            .iter()
            .filter_map(|literal| literal.as_str()?.split('=').next())
            .collect::<Vec<_>>()
    };
    let secrets = documents(&format!("{PRODUCTION}/secrets.example.yaml"));
    for (_, part, _) in PARTS {
        let container = container(part);
        for variable in list(&container, "env") {
            let from = at(variable, "valueFrom");
            if let Some(map) = at(from, "configMapKeyRef/name").as_str() {
                let key = string(from, "configMapKeyRef/key");
                assert!(literals(map).contains(&key), "{part} takes {key} from {map}");
            }
            if let Some(name) = at(from, "secretKeyRef/name").as_str() {
                let secret = secrets
                    .iter()
                    .find(|secret| string(secret, "metadata/name") == name);
                let key = string(from, "secretKeyRef/key");
                let value = at(secret.expect("an example"), &format!("stringData/{key}"));
                assert!(value.is_string(), "{part} takes {key} from {name}");
            }
        }
    }
}

#[test]
fn only_what_clients_need_is_reached_from_outside() {
    let ingress = &documents(&format!("{PRODUCTION}/ingress.yaml"))[0];
    let auth = source("auth/server");
    for rule in list(ingress, "spec/rules") {
        for path in list(rule, "http/paths") {
            let (path, to) = (string(path, "path"), string(path, "backend/service/name"));
            let known = match to {
                "gateway" => path == "/graphql",
                "auth" => auth.contains(&format!("\"{path}\"")),
                _ => false,
            };
            assert!(known, "{to} serves no {path}");
            assert!(
                !path.starts_with("/health") && path != "/metrics",
                "{path} is not for everybody"
            );
        }
    }
}

#[test]
fn every_service_that_reads_events_scales_with_them() {
    let lag = &documents("deploy/kubernetes/components/consumer-lag/kustomization.yaml")[0];
    let scaled: BTreeSet<&str> = list(lag, "patches")
        .iter()
        .map(|patch| string(patch, "target/name"))
        .collect();
    assert_eq!(scaled, BTreeSet::from(["order", "payment", "store", "marketing"]));
}
