//! A loop that hangs on demand, to see that somebody notices. Not in a release build.

/// Hangs for good if the file that `BAEDAL_TEST_HANG` names is there and holds this loop's name; it is taken away, so that
/// one process hangs once.
#[cfg(debug_assertions)]
pub(crate) async fn if_asked(who: &str) {
    let Some(file) = std::env::var_os("BAEDAL_TEST_HANG") else {
        return;
    };
    let asked = std::fs::read_to_string(&file).is_ok_and(|name| name.trim() == who);
    if asked && std::fs::remove_file(&file).is_ok() {
        std::future::pending::<()>().await;
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(crate) async fn if_asked(_who: &str) {}
