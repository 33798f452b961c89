//! The two caches of a snapshot, each with so much room: entries are weighed by what they take in memory when they come,
//! and programs again when they are there.

use baedal_executor::Program;
use hashbrown::DefaultHashBuilder;
use moka::sync::Cache;

use super::{Document, DocumentKey, ProgramKey};
use crate::config::CacheConfig;
use crate::once::Cell;

/// Of four parts of the room documents have three, programs one.
const PARTS: u64 = 4;
/// What a document weighs, by its text and besides: when it is parsed it is much larger.
const DOCUMENT_FACTOR: usize = 64;
const DOCUMENT_BYTES: usize = 16 * 1024;
/// What an entry takes besides its program.
const ENTRY_BYTES: usize = 1024;

pub(super) type Documents = Cache<DocumentKey, Cell<Document>, DefaultHashBuilder>;
pub(super) type Programs = Cache<ProgramKey, Cell<Program>, DefaultHashBuilder>;

pub(super) fn documents(config: &CacheConfig) -> Documents {
    let room = config.bytes / PARTS * (PARTS - 1);
    let least = room / config.operations;
    let weigh = move |key: &DocumentKey, _: &Cell<Document>| {
        weight(key.query.len() * DOCUMENT_FACTOR + DOCUMENT_BYTES, least)
    };
    Cache::builder()
        .max_capacity(room)
        .weigher(weigh)
        .build_with_hasher(DefaultHashBuilder::default())
}

pub(super) fn programs(config: &CacheConfig) -> Programs {
    let room = config.bytes / PARTS;
    let least = room / config.operations;
    let weigh = move |_: &ProgramKey, entry: &Cell<Program>| {
        let program = entry.get().and_then(|outcome| outcome.as_ref().ok());
        let bytes = program.map_or(0, |program| program.bytes());
        weight(bytes + ENTRY_BYTES, least)
    };
    Cache::builder()
        .max_capacity(room)
        .weigher(weigh)
        .build_with_hasher(DefaultHashBuilder::default())
}

/// Nothing weighs less than `least`, its share of the room: so there is room for no more than so many.
fn weight(bytes: usize, least: u64) -> u32 {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).max(least);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use baedal_planner::Access;
    use serde_json::Map;

    use super::*;
    use crate::config::Config;
    use crate::engine::Engine;
    use crate::observe::Observer;
    use crate::request::Request;

    fn engine(bytes: u64, operations: u64) -> Engine {
        let sdl = r#"schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
              enum join__Graph { A @join__graph(name: "a", url: "http://a.example/") }
              type Query @join__type(graph: A) { a(x: Int): Query b: Int }"#;
        let config = Config {
            cache: CacheConfig {
                bytes,
                operations,
                ..CacheConfig::default()
            },
            ..Config::default()
        };
        let (traffic, observer) = (crate::traffic::Traffic::new(&config), Observer::new(&config));
        Engine::new(sdl, &config, &traffic, &Arc::new(observer), &Default::default()).expect("a supergraph")
    }

    /// Ever other operations; how many bytes the largest of their programs takes.
    async fn ask(engine: &Engine, count: usize) -> usize {
        let mut largest = 0;
        for number in 0..count {
            let request = Request {
                query: format!("{{ a(x: {number}) {{ b a {{ b a {{ b }} }} }} }}"),
                operation_name: None,
                variables: Map::new(),
            };
            let document = engine.document(&request).await.expect("a document");
            let (none, access) = (Arc::default(), Access::unrestricted());
            let program = engine.program(&document, &none, &access, false, || 0.0).await;
            largest = largest.max(program.expect("a plan").bytes());
        }
        engine.documents.run_pending_tasks();
        engine.programs.run_pending_tasks();
        largest
    }

    #[tokio::test]
    async fn programs_take_no_more_room_than_there_is() {
        let engine = engine(400 << 10, 100_000);
        let largest = ask(&engine, 150).await as u64;
        assert!((1 << 10..20 << 10).contains(&largest), "{largest}");
        let (kept, weight) = (engine.programs.entry_count(), engine.programs.weighted_size());
        assert!(weight <= 100 << 10, "{weight}");
        assert!(
            (3..150).contains(&kept) && kept * (1 << 10) < weight,
            "{kept} {weight}"
        );
        assert!(engine.documents.weighted_size() <= 300 << 10);
    }

    #[tokio::test]
    async fn there_are_no_more_than_so_many() {
        let engine = engine(64 << 20, 12);
        ask(&engine, 60).await;
        for kept in [engine.programs.entry_count(), engine.documents.entry_count()] {
            assert!((1..=12).contains(&kept), "{kept}");
        }
    }
}
