//! `@override(label: "percent(n)")`: the share of requests, and one decision in each of them.
use std::collections::BTreeMap;
use std::path::Path;

use baedal_federation_tests::{Case, Mock};
use baedal_router::config::{Config, SubgraphConfig};
use serde_json::{Value, json};

/// Requests; all of them on one side is as likely as 1 : 2^99.
const REQUESTS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_requests_are_moved_and_each_as_a_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/override-labels");
    let case = Case::load(&folder).expect("a case");
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    let mut mocks = Vec::new();
    for (name, sdl) in &case.subgraphs {
        let mock = Mock::start(name, sdl, case.data[name].clone(), Default::default()).await;
        let mock = mock.expect("a subgraph");
        let url = mock.url().parse().expect("a URL");
        config.subgraphs.insert(name.clone(), SubgraphConfig::at(url));
        mocks.push(mock);
    }
    let gateway = baedal_router::start(config).await.expect("a gateway");
    let url = format!("http://{}/graphql", gateway.addr());
    let query = json!({ "query": "{ fromOld { part inner { a } } fromNew { part inner { a } } }" });
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let client = reqwest::Client::new();
    for _ in 0..REQUESTS {
        let answer = client.post(&url).json(&query).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        let side = &answer["data"]["fromOld"]["part"];
        for item in ["fromOld", "fromNew"] {
            assert_eq!(answer["data"][item]["part"], *side, "{answer}");
            assert_eq!(answer["data"][item]["inner"]["a"], *side, "{answer}");
        }
        *seen.entry(side.to_string()).or_default() += 1;
    }
    gateway.shutdown().await;
    assert_eq!(seen.len(), 2, "{seen:?}");
}
