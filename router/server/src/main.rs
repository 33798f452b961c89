//! The `baedal-router` binary; all it does is in the library.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    baedal_router::cli::run(baedal_router::cli::Cli::parse()).await
}
