//! Files in variables, by the [GraphQL multipart request
//! specification](https://github.com/jaydenseric/graphql-multipart-request-spec): read part by part ([`multipart`]), put in
//! their places ([`map`]), and passed on ([`relay`]) to the one call that takes them ([`plan`], [`port`]). No file is ever
//! held.

mod map;
mod multipart;
mod plan;
mod port;
mod relay;

pub use map::{Files, Misplaced};
pub use multipart::{Malformed, Parts, boundary};
pub use plan::taker;
pub use port::WithFiles;
pub use relay::{Coming, Outgoing, Piece, Sender};
