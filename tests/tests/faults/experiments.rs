//! The experiments of `cargo xtask faults` in their short form: the same invariants, fewer faults, no bounds of time.
use baedal_tests::faults::experiments::named;
use baedal_tests::faults::{Plan, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_baedal-process");

async fn short(name: &str, sabotage: bool) {
    let _alone = crate::alone().await;
    let experiment = named(name).expect("an experiment of this name");
    let plan = Plan {
        program: PROGRAM.to_owned(),
        seed: super::seed(),
        runs: experiment.runs.0,
        sabotage,
        timed: false,
    };
    match run(experiment, plan).await {
        Ok(facts) => eprintln!("{name}: {}", facts.join("; ")),
        Err(error) => panic!("{error:?}"),
    }
}

macro_rules! experiments {
    ($($test:ident: $name:literal, $sabotage:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            short($name, $sabotage).await;
        })*
    };
}

experiments! {
    order_dies: "order-killed", false;
    payment_dies: "payment-killed", false;
    store_dies: "store-killed", false;
    marketing_dies: "marketing-killed", false;
    the_platform_dies: "embedded-killed", false;
    a_gateway_dies: "gateway-killed", false;
    the_auth_server_dies: "auth-killed", false;
    unreadable_records_stand_among_the_events: "poison", false;
    consumers_come_and_go: "replicas", false;
    the_disk_is_full: "disk-full", false;
    a_clock_jumps: "clock-jump", false;
    a_subgraph_is_slow: "subgraph-slow", false;
    two_releases_run_at_once: "two-releases", false;
    the_network_splits: "network-split", false;
    every_event_comes_three_times_in_any_order: "shuffled", false;
    fifty_seeds_of_everything: "simulation", false;
    events_sent_before_they_are_sent_are_missed: "order-killed", true;
}
