//! A consumer that hangs on demand, to see that somebody notices. Not in a release build.

use std::path::Path;

/// Hangs for good if the file that `BAEDAL_TEST_HANG` names is there; it is taken away, so that one process hangs once.
pub(super) async fn if_asked() {
    let Some(file) = std::env::var_os("BAEDAL_TEST_HANG") else {
        return;
    };
    if std::fs::remove_file(Path::new(&file)).is_ok() {
        std::future::pending::<()>().await;
    }
}
