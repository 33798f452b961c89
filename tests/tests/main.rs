//! Acceptance tests of the delivery platform. Each runs on the embedded stack, and where it says so on real
//! MongoDB, Postgres and Kafka as well (`cargo xtask test` starts them).
mod contract;
mod faults;
mod journeys;
mod observe;
mod scenarios;
mod security;

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// A whole platform is heavy: at most this many run at a time on a small machine.
static WORLDS: std::sync::LazyLock<Arc<Semaphore>> = std::sync::LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// Waits for the right to run a platform; scenarios have bounds in seconds and must not share the machine.
async fn alone() -> SemaphorePermit<'static> {
    WORLDS.acquire().await.expect("the semaphore is never closed")
}

/// The same test on both stacks: `on_both_stacks!(name, function)`, where the function takes a `World`.
macro_rules! on_both_stacks {
    ($name:ident, $test:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                let _alone = crate::alone().await;
                let world = baedal_tests::world::World::embedded()
                    .await
                    .expect("the embedded platform starts");
                if let Err(error) = super::$test(world).await {
                    panic!("{error:?}");
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_servers() {
                let _alone = crate::alone().await;
                let world = baedal_tests::world::World::on_servers()
                    .await
                    .expect("the platform starts on real servers");
                if let Err(error) = super::$test(world).await {
                    panic!("{error:?}");
                }
            }
        }
    };
}
pub(crate) use on_both_stacks;
