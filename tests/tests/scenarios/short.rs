//! The scenarios of `cargo xtask scenario` in short: states, counts and order; numbers about speed are for the long form.
use anyhow::{Result, ensure};
use baedal_tests::scenario::{Options, Scenario};

use crate::alone;

async fn holds(scenario: Scenario, servers: bool) -> Result<()> {
    let _alone = alone().await;
    let verdict = scenario.run(&Options::short(servers)).await?;
    println!("{}", verdict.markdown());
    ensure!(verdict.holds(), "{}", verdict.missed().join("\n"));
    Ok(())
}

macro_rules! holds {
    ($($name:ident: $scenario:ident on $stores:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() -> Result<()> {
            holds(Scenario::$scenario, stringify!($stores) == "servers").await
        }
    )*};
}

holds! {
    a_slow_payment_does_not_open_the_circuit: T3a on embedded;
    a_bulkhead_rejects_at_once_what_payment_has_no_room_for: T3b on servers;
    without_a_bulkhead_the_circuit_opens_and_closes_and_lets_only_probes_through: T3c on embedded;
    a_rolling_restart_loses_nothing: T4 on servers;
    three_replicas_of_payment_all_get_work: T5 on embedded;
    consumers_replicas_views_and_contracts: T6 on embedded;
    whom_there_is_no_room_for_is_told_so_and_the_others_are_served: Overload on embedded;
    a_service_in_another_language_comes_and_goes: Review on servers;
}
