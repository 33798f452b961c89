//! The program `baedal`, as tests of this package can start it.
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    baedal::cli::main().await
}
