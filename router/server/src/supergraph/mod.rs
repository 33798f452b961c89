//! Where the supergraph comes from: live subgraphs, SDL files, a supergraph file or a URL; how it is kept up to date; and
//! what is said about it in `/health/ready`.

mod absent;
mod build;
mod disk;
mod follow;
mod gather;
mod keeper;
mod problem;
pub mod sdl;
mod sources;
mod status;
mod trial;
mod watch;

pub use gather::fetch_sdl;
pub use keeper::Keeper;
pub use problem::SupergraphProblem;
pub use sources::{SdlPlace, Source, SubgraphSource};
pub use status::{Absent, Origin, Status};
pub use trial::trial;
pub use watch::Command;
