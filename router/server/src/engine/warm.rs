//! Before a supergraph is served, what the one before it was asked is read and planned again, the most frequent first. So
//! the swap is no cliff: requests find their plans. A plan that comes out as it was is kept as it was, with all that was
//! compiled of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use baedal_executor::Program;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::{Document, DocumentKey, Engine, ProgramKey};

/// What was done ahead.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Warmed {
    /// Plans that came out as they were.
    pub kept: usize,
    /// Plans that are others now.
    pub changed: usize,
    /// Operations that the new schema refuses.
    pub refused: usize,
    /// Operations for which there was no time.
    pub left: usize,
}

/// Programs of one document.
type Programs = Vec<(Arc<ProgramKey>, Arc<Program>)>;

impl Engine {
    /// Takes over from `before` for at most so long.
    pub fn warm(&self, before: &Engine, limit: Duration) -> Warmed {
        let started = Instant::now();
        let mut programs = before.programs_by_document();
        let mut warmed = Warmed::default();
        for (key, document) in before.documents_by_use() {
            if started.elapsed() >= limit {
                warmed.left += 1;
                continue;
            }
            let known = programs.remove(&document.id).unwrap_or_default();
            self.take_over(&key, &document, known, &mut warmed);
        }
        warmed
    }

    fn documents_by_use(&self) -> Vec<(Arc<DocumentKey>, Arc<Document>)> {
        let ready = |(key, cell): (Arc<DocumentKey>, super::Cell<Document>)| {
            let document = cell.get()?.as_ref().ok()?;
            Some((key, Arc::clone(document)))
        };
        let mut all: Vec<_> = self.documents.iter().filter_map(ready).collect();
        all.sort_by_cached_key(|(_, document)| std::cmp::Reverse(document.uses.load(Ordering::Relaxed)));
        all
    }

    fn programs_by_document(&self) -> HashMap<u64, Programs> {
        let mut by_document: HashMap<u64, Programs> = HashMap::new();
        for (key, cell) in &self.programs {
            if let Some(Ok(program)) = cell.get() {
                let programs = by_document.entry(key.document).or_default();
                programs.push((key, Arc::clone(program)));
            }
        }
        by_document
    }

    fn take_over(&self, key: &DocumentKey, old: &Document, known: Programs, warmed: &mut Warmed) {
        let Ok(operation) = self.core.read(&key.query, key.operation_name.as_deref()) else {
            warmed.refused += 1;
            return;
        };
        // What is not asked any more sinks.
        let uses = old.uses.load(Ordering::Relaxed) / 2;
        let document = self
            .core
            .document(self.next_id(), operation, Arc::clone(&old.told), uses);
        for (key, program) in known {
            self.plan_again(&document, &key, &program, warmed);
        }
        let cell = Arc::new(OnceCell::new_with(Some(Ok(Arc::new(document)))));
        self.documents.insert(key.clone(), cell);
    }

    fn plan_again(&self, document: &Document, old: &ProgramKey, program: &Arc<Program>, warmed: &mut Warmed) {
        let conditional = document.operation.conditional_variables();
        let values = conditional.iter().cloned().zip(&old.conditions);
        let coerced: Map<String, Value> = values.map(|(name, value)| (name, (*value).into())).collect();
        let access = self.rights.narrow(&old.access);
        let planned = self.core.plan(
            &document.operation,
            &coerced,
            old.labels.clone(),
            (&access, old.incremental),
        );
        let program = match planned {
            Ok(plan) if plan == *program.plan() => {
                warmed.kept += 1;
                Arc::clone(program)
            }
            Ok(plan) => {
                warmed.changed += 1;
                Arc::new(Program::compile(Arc::new(plan)))
            }
            Err(_) => {
                warmed.refused += 1;
                return;
            }
        };
        if conditional.is_empty() && old.labels.is_empty() && !old.incremental {
            // Another caller's may be there already, and stays.
            let _ = document.usual.set((access.clone(), Arc::clone(&program)));
        }
        let key = ProgramKey {
            document: document.id,
            access,
            labels: old.labels.clone(),
            conditions: old.conditions.clone(),
            incremental: old.incremental,
        };
        let cell = Arc::new(OnceCell::new_with(Some(Ok(program))));
        self.programs.insert(key, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::observe::Observer;
    use crate::request::Request;
    use baedal_planner::Access;

    fn engine(query: &str) -> Engine {
        let sdl = format!(
            r#"schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {{ query: Query }}
              enum join__Graph {{ A @join__graph(name: "a", url: "http://a.example/") }}
              type Query @join__type(graph: A) {{ {query} }}"#
        );
        let config = Config::default();
        let traffic = crate::traffic::Traffic::new(&config);
        let observer = Arc::new(Observer::new(&config));
        Engine::new(&sdl, &config, &traffic, &observer, &Default::default()).expect("a supergraph")
    }

    async fn program(engine: &Engine, query: &str) -> Arc<Program> {
        let request = Request {
            query: query.to_owned(),
            operation_name: None,
            variables: [("x".to_owned(), Value::Bool(true))].into_iter().collect(),
        };
        let document = engine.document(&request).await.expect("a document");
        let coerced = Arc::new(request.variables);
        let (draw, access) = (|| 0.0, Access::unrestricted());
        let program = engine.program(&document, &coerced, &access, false, draw);
        program.await.expect("a plan")
    }

    #[tokio::test]
    async fn what_was_asked_is_planned_ahead_and_equal_plans_are_kept() {
        let before = engine("a: Int b: Int c: Int");
        let conditional = "query($x: Boolean!) { a @include(if: $x) b }";
        let queries = ["{ a }", "{ b }", "{ c }", conditional];
        let mut kept = Vec::new();
        for query in queries {
            kept.push(program(&before, query).await);
        }
        let after = engine("a: Int b: Int d: Int");
        let warmed = after.warm(&before, Duration::from_secs(60));
        let wanted = Warmed {
            kept: 3,
            changed: 0,
            refused: 1,
            left: 0,
        };
        assert_eq!(warmed, wanted);
        for (query, before) in [("{ a }", &kept[0]), ("{ b }", &kept[1]), (conditional, &kept[3])] {
            let found = program(&after, query).await;
            assert!(
                Arc::ptr_eq(&found, before),
                "{query} was not planned again when asked"
            );
        }
    }

    #[tokio::test]
    async fn the_most_frequent_comes_first() {
        let before = engine("a: Int b: Int");
        for query in ["{ a }", "{ b }", "{ b }", "{ b }"] {
            program(&before, query).await;
        }
        let order: Vec<_> = before
            .documents_by_use()
            .into_iter()
            .map(|(key, _)| key.query.clone())
            .collect();
        assert_eq!(order, ["{ b }", "{ a }"]);
        let warmed = engine("a: Int b: Int").warm(&before, Duration::ZERO);
        assert_eq!(warmed.left, 2, "without time nothing is done");
    }
}
