//! One snapshot of everything that belongs to a supergraph: the schema, where subgraphs are, and two caches.
//!
//! * documents, by query text and operation name: limits checked, parsed, validated once;
//! * programs, by document, the values of the variables its conditions use, active override labels, and what the caller
//!   may see: planned and compiled once, however many requests wait for it. The usual one is kept with its document, so
//!   that most requests look up one thing once.
//!
//! Both are bounded by what their entries take (`cache.bytes`). Refusals are cached too, so that the same bad query costs nothing the second time. How work on a miss is done, once
//! for all who wait, is in [`crate::once`].

mod endpoints;
mod room;
mod warm;

pub use endpoints::EngineError;
pub use warm::Warmed;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use apollo_compiler::ast;
use baedal_executor::Program;
use baedal_planner::plan::Plan;
use baedal_planner::{Access, CostSettings, Estimate, Operation, Settings, Supergraph};
use moka::Equivalent;
use serde_json::{Map, Value};

use crate::bound;
use crate::config::{Config, LimitsConfig};
use crate::errors::{Code, Refusal};
use crate::observe::{self, Lookups, Observer};
use crate::once::{Cell, Workers};
use crate::refuse;
use crate::responses::Graph;
use crate::rights::Rights;
use crate::subgraphs::Endpoint;
use crate::supergraph::sdl::{self, Unreadable};
use crate::tls::Secrets;
use crate::traffic::Traffic;
use crate::{limits, request::Request};

/// A supergraph, ready to serve.
pub struct Engine {
    core: Arc<Core>,
    endpoints: HashMap<String, Endpoint>,
    rights: Rights,
    /// Labels that the configuration makes active.
    named_labels: BTreeSet<String>,
    documents: room::Documents,
    programs: room::Programs,
    next_document: AtomicU64,
    workers: Workers,
    version: u64,
    /// What it says about keeping answers, where they are kept.
    kept: Option<Graph>,
}

/// What work on a miss needs.
struct Core {
    observer: Arc<Observer>,
    lookups: Lookups,
    /// What it is told apart by in metrics.
    contract: Box<str>,
    supergraph: Supergraph,
    limits: LimitsConfig,
    costs: Option<CostSettings>,
    settings: Settings,
    introspection: bool,
}

/// A parsed and validated operation.
pub struct Document {
    id: u64,
    /// The operation.
    pub operation: Operation,
    /// What it costs at most, if that is looked at.
    cost: Option<Estimate>,
    /// As it is told of.
    pub told: Arc<observe::Operation>,
    /// The first program made of it, where only the caller's rights can make another.
    usual: OnceLock<(Access, Arc<Program>)>,
    /// How often it was asked for, roughly.
    uses: AtomicU32,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct DocumentKey {
    query: String,
    operation_name: Option<String>,
}

/// The same without copies, to look it up.
#[derive(Hash)]
struct AskedDocument<'a> {
    query: &'a str,
    operation_name: Option<&'a str>,
}

impl Equivalent<DocumentKey> for AskedDocument<'_> {
    fn equivalent(&self, key: &DocumentKey) -> bool {
        self.query == key.query && self.operation_name == key.operation_name.as_deref()
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct ProgramKey {
    document: u64,
    conditions: Vec<bool>,
    labels: BTreeSet<String>,
    access: Access,
    /// Whether it is for clients that take answers in parts, and makes use of that.
    incremental: bool,
}

impl Engine {
    /// Reads a supergraph.
    pub fn new(
        text: &str,
        config: &Config,
        traffic: &Traffic,
        observer: &Arc<Observer>,
        secrets: &Secrets,
    ) -> Result<Engine, EngineError> {
        let mut supergraph = sdl::read(text)?;
        if config.incremental.enabled {
            supergraph = supergraph.with_incremental().map_err(Unreadable::Refused)?;
        }
        bound::check(supergraph.api_schema(), config).map_err(EngineError::Bound)?;
        Ok(Engine {
            endpoints: endpoints::of(&supergraph, config, traffic, secrets)?,
            rights: Rights::of(&supergraph),
            named_labels: known_labels(&supergraph, config),
            documents: room::documents(&config.cache),
            programs: room::programs(&config.cache),
            next_document: AtomicU64::new(0),
            workers: Workers::default(),
            version: observe::hash(text),
            kept: kept(text, config),
            core: Arc::new(Core {
                observer: Arc::clone(observer),
                lookups: observer.lookups(config.serving.as_deref().unwrap_or_default()),
                contract: config.serving.as_deref().unwrap_or_default().into(),
                supergraph,
                limits: config.limits.clone(),
                costs: config.limits.cost.settings(),
                settings: config.limits.planning(),
                introspection: config.introspection.enabled,
            }),
        })
    }

    /// The schema clients see.
    pub fn supergraph(&self) -> &Supergraph {
        &self.core.supergraph
    }

    /// Where subgraphs are.
    pub fn endpoints(&self) -> &HashMap<String, Endpoint> {
        &self.endpoints
    }

    /// A hash of the supergraph's text.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the supergraph says about keeping answers, where they are kept.
    pub fn kept(&self) -> Option<&Graph> {
        self.kept.as_ref()
    }

    /// Documents and programs in the caches, and the estimated bytes of the documents.
    pub fn cached(&self) -> (u64, u64, u64) {
        let Engine {
            documents, programs, ..
        } = self;
        (
            documents.entry_count(),
            programs.entry_count(),
            documents.weighted_size(),
        )
    }

    /// Whether any part of the schema is not for everyone.
    pub fn asks_for_rights(&self) -> bool {
        self.rights.any()
    }

    /// Policies that parts of the schema ask for.
    pub fn policies(&self) -> &BTreeSet<String> {
        self.rights.policies()
    }

    /// The request's operation: within limits, parsed, validated.
    pub async fn document(&self, request: &Request) -> Result<Arc<Document>, Refusal> {
        let entry = self.document_entry(request);
        let document = self.workers.once(&entry, || self.read(request)).await?;
        document.uses.fetch_add(1, Ordering::Relaxed);
        Ok(document)
    }

    /// Refuses what would cost too much with these values of variables.
    pub fn check_cost(&self, document: &Document, coerced: &Map<String, Value>) -> Result<(), Refusal> {
        let Some(estimate) = &document.cost else {
            return Ok(());
        };
        let Core { limits, observer, .. } = &*self.core;
        limits::check_cost(
            estimate,
            self.supergraph(),
            coerced,
            &limits.cost,
            &observer.costs,
        )
    }

    fn next_id(&self) -> u64 {
        self.next_document.fetch_add(1, Ordering::Relaxed)
    }

    fn read(&self, request: &Request) -> impl FnOnce() -> Result<Document, Refusal> + use<> {
        let (core, id) = (Arc::clone(&self.core), self.next_id());
        let (query, name) = (request.query.clone(), request.operation_name.clone());
        move || {
            let operation = core.read(&query, name.as_deref())?;
            let told = core.observer.operation(&core.contract, operation.name(), &query);
            Ok(core.document(id, operation, Arc::new(told), 0))
        }
    }

    fn document_entry(&self, request: &Request) -> Cell<Document> {
        let asked = AskedDocument {
            query: &request.query,
            operation_name: request.operation_name.as_deref(),
        };
        let lookups = &self.core.lookups;
        let known = self.documents.get(&asked).inspect(|_| lookups.document_hit.inc());
        known.unwrap_or_else(|| {
            lookups.document_miss.inc();
            let key = DocumentKey {
                query: request.query.clone(),
                operation_name: request.operation_name.clone(),
            };
            self.documents.get_with(key, Cell::default)
        })
    }

    /// Labels of `@override(label:)` that are active for a request; `draw` gives its lot in 0..100, where one is needed.
    fn labels(&self, draw: impl FnOnce() -> f64) -> BTreeSet<String> {
        let supergraph = &self.core.supergraph;
        if supergraph.override_labels().is_empty() {
            return BTreeSet::new();
        }
        let lot = if supergraph.has_percent_labels() {
            draw()
        } else {
            100.0
        };
        supergraph.active_labels(&self.named_labels, lot)
    }

    /// The operation's program for these variables, this caller and this lot (in 0..100).
    pub async fn program(
        &self,
        document: &Arc<Document>,
        coerced: &Arc<Map<String, Value>>,
        access: &Access,
        incremental: bool,
        draw: impl FnOnce() -> f64,
    ) -> Result<Arc<Program>, Refusal> {
        let incremental = incremental && document.operation.is_incremental();
        let access = self.rights.narrow(access);
        let labels = self.labels(draw);
        let conditional = document.operation.conditional_variables();
        let plain = conditional.is_empty() && labels.is_empty() && !incremental;
        match document.usual.get() {
            Some((usual, program)) if plain && *usual == access => {
                self.core.lookups.program_hit.inc();
                return Ok(Arc::clone(program));
            }
            _ => {}
        }
        let value = |name: &String| coerced.get(name) == Some(&Value::Bool(true));
        let key = ProgramKey {
            document: document.id,
            conditions: conditional.iter().map(value).collect(),
            labels: labels.clone(),
            access: access.clone(),
            incremental,
        };
        let entry = match self.programs.get(&key) {
            Some(entry) => entry,
            None => self.programs.get_with(key.clone(), Cell::default),
        };
        let is_new = entry.get().is_none();
        let lookups = &self.core.lookups;
        match is_new {
            true => lookups.program_miss.inc(),
            false => lookups.program_hit.inc(),
        }
        let usual = access.clone();
        let plan = || {
            let (core, document, coerced) =
                (Arc::clone(&self.core), Arc::clone(document), Arc::clone(coerced));
            move || {
                let plan = core.plan(&document.operation, &coerced, labels, (&access, incremental))?;
                Ok(Program::compile(Arc::new(plan)))
            }
        };
        let program = self.workers.once(&entry, plan).await?;
        if is_new {
            // Now it can be weighed.
            self.programs.insert(key, entry);
        }
        if plain {
            // Another caller's may be there already, and stays.
            let _ = document.usual.set((usual, Arc::clone(&program)));
        }
        Ok(program)
    }
}

impl Core {
    fn document(&self, id: u64, operation: Operation, told: Arc<observe::Operation>, uses: u32) -> Document {
        let costs = self.costs.as_ref();
        Document {
            id,
            cost: costs.map(|settings| operation.estimate(&self.supergraph, settings)),
            operation,
            told,
            usual: OnceLock::new(),
            uses: uses.into(),
        }
    }

    /// Limits first, each before what it protects.
    fn read(&self, query: &str, name: Option<&str>) -> Result<Operation, Refusal> {
        limits::check_text(query, &self.limits)?;
        // A syntax error is reported by the planner's reader, with its place.
        if let Ok(document) = ast::Document::parse(query, "query") {
            limits::check_document(&document, &self.limits)?;
        }
        let operation = Operation::parse(&self.supergraph, query, name)
            .map_err(|error| refuse::operation(error, self.introspection).at_most(self.limits.errors))?;
        if !self.introspection && operation.introspects() {
            return Err(Refusal::new(
                Code::IntrospectionDisabled,
                "introspection is switched off on this gateway",
            ));
        }
        limits::check_introspection(&operation, &self.supergraph, &self.limits)?;
        Ok(operation)
    }

    fn plan(
        &self,
        operation: &Operation,
        coerced: &Map<String, Value>,
        labels: BTreeSet<String>,
        (access, incremental): (&Access, bool),
    ) -> Result<Plan, Refusal> {
        let settings = Settings {
            active_labels: labels,
            incremental,
            ..self.settings.clone()
        };
        baedal_planner::plan(&self.supergraph, operation, coerced, &settings, access).map_err(refuse::plan)
    }
}

/// What a supergraph says about keeping answers, where they are kept.
fn kept(text: &str, config: &Config) -> Option<Graph> {
    let address = |subgraph: &str| {
        let overrides = config.subgraphs.get(subgraph).and_then(|one| one.url.as_ref());
        overrides.map(ToString::to_string).unwrap_or_default()
    };
    config
        .cache
        .responses
        .enabled
        .then(|| Graph::read(text, address))?
}

/// A label that nothing bears is a slip of the pen, or its override is done with.
fn known_labels(supergraph: &Supergraph, config: &Config) -> BTreeSet<String> {
    for label in &config.override_labels {
        if !supergraph.override_labels().contains(label) {
            tracing::warn!(
                label,
                known = ?supergraph.override_labels(),
                "`override_labels` names a label that no @override of the supergraph bears"
            );
        }
    }
    config.override_labels.clone()
}
