//! `baedal`: the delivery platform on one machine, and its command line.
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    baedal::cli::main().await
}
