//! Runs a program's fetches: each as soon as all it waits for are done, in one task, with no barrier between steps.
use std::collections::VecDeque;

use baedal_planner::plan::FetchId;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::arena::{Arena, ObjectId};
use crate::context;
use crate::errors::{Errors, Extensions, Problem, Segment};
use crate::inputs::{Answer, Inputs};
use crate::merge::Unattached;
use crate::port::{CallError, SubgraphCall, Subgraphs};
use crate::program::{Entry, Fetch, Program};
use crate::receive::unattached;
use crate::request::{Made, Request, SentGroup, Tree, fallback, request};
use crate::write::write_answer;

/// A request under way. [`execute`] drives it; whoever measures single stages drives it by hand.
pub struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) inputs: &'a Inputs,
    pub(crate) arena: Arena,
    pub(crate) root: ObjectId,
    pub(crate) errors: Errors,
    /// For each fetch, how many of those it waits for are not done; or that it is done itself.
    waits: Vec<usize>,
    ready: VecDeque<FetchId>,
    /// Requests of fetches that are made of several.
    queued: VecDeque<(FetchId, Request)>,
    /// For each fetch, how many of its requests have not ended.
    open: Vec<usize>,
    /// For each fetch, whether it had any error.
    failed: Vec<bool>,
    /// Fetches with a body that is no answer, not told yet.
    pub(crate) unusable: Vec<FetchId>,
    calls: usize,
}

/// How many requests are under way before further ones of a fetch made of several wait.
const MANY: usize = 64;

/// Stands where nothing is waited for any more.
const DONE: usize = usize::MAX;

/// A call that has ended.
struct Ended {
    fetch: FetchId,
    request: Request,
    result: Result<Bytes, CallError>,
}

/// Executes a program. Dropping the future cancels the calls under way.
pub async fn execute<S: Subgraphs>(program: &Program, inputs: &Inputs, subgraphs: &S) -> Answer {
    let mut run = Run::new(program, inputs);
    run.drive(subgraphs, &mut |_| true).await;
    run.answer()
}

/// Executes a subscription's program for one event: `event` is what the first fetch's subgraph sent,
/// the body of a GraphQL response.
pub async fn execute_event<S: Subgraphs>(
    program: &Program,
    inputs: &Inputs,
    event: Bytes,
    subgraphs: &S,
) -> Answer {
    let mut run = Run::new(program, inputs);
    if let Some(position) = run.ready.iter().position(|&fetch| fetch == 0) {
        run.ready.remove(position);
        run.end(Ended {
            fetch: 0,
            request: Request::default(),
            result: Ok(event),
        });
        run.calls = 0;
    }
    run.drive(subgraphs, &mut |_| true).await;
    run.answer()
}

/// What to send upstream to subscribe; `None` if the program has no fetch (it answers without any subgraph).
pub fn subscription_request<'a>(program: &'a Program, inputs: &Inputs) -> Option<SubgraphCall<'a>> {
    let (arena, root) = Arena::new();
    let fetch = program.fetches.first()?;
    let tree = Tree {
        arena: &arena,
        root,
        failed: &[],
        only: None,
    };
    let body = request(fetch, inputs, tree).body?;
    Some(SubgraphCall {
        subgraph: &fetch.subgraph,
        fetch: 0,
        kind: fetch.kind,
        body,
    })
}

async fn call<S: Subgraphs>(program: &Program, subgraphs: &S, fetch: FetchId, request: Request) -> Ended {
    let kind = program.fetches[fetch].kind;
    let subgraph = &program.fetches[fetch].subgraph;
    let result = subgraphs
        .call(SubgraphCall {
            subgraph,
            fetch,
            kind,
            body: request.body.clone(),
        })
        .await;
    Ended {
        fetch,
        request,
        result,
    }
}

impl<'a> Run<'a> {
    /// A request of which nothing is fetched yet.
    pub fn new(program: &'a Program, inputs: &'a Inputs) -> Run<'a> {
        let (arena, root) = Arena::new();
        let waits: Vec<usize> = program.fetches.iter().map(|fetch| fetch.waits).collect();
        let open = vec![0; waits.len()];
        let ready = (0..waits.len()).filter(|&fetch| waits[fetch] == 0).collect();
        let failed = vec![false; waits.len()];
        let errors = Errors::new(inputs.max_errors);
        let mut run = Run {
            program,
            inputs,
            arena,
            root,
            errors,
            waits,
            ready,
            queued: VecDeque::new(),
            open,
            failed,
            unusable: Vec::new(),
            calls: 0,
        };
        run.report_planned();
        run
    }

    fn report_planned(&mut self) {
        for planned in &self.program.plan().errors {
            self.errors.push(|| Problem {
                message: planned.message.clone(),
                path: planned.path.iter().cloned().map(Segment::Key).collect(),
                extensions: Extensions::code(&planned.code),
            });
        }
    }

    /// `go_on` is asked at first, and whenever fetches have ended; calls under way are cancelled when it says no.
    pub(crate) async fn drive<S: Subgraphs>(
        &mut self,
        subgraphs: &S,
        go_on: &mut impl FnMut(&mut Run<'a>) -> bool,
    ) {
        let mut under_way = FuturesUnordered::new();
        if !go_on(self) {
            return;
        }
        loop {
            for fetch in self.unusable.drain(..) {
                subgraphs.regret(&self.program.fetches[fetch].subgraph);
            }
            while let Some((fetch, request)) = self.next_request(under_way.len()) {
                let ended = call(self.program, subgraphs, fetch, request);
                if under_way.is_empty() && self.ready.is_empty() && self.queued.is_empty() {
                    // A call alone needs no queue.
                    let ended = ended.await;
                    self.end(ended);
                    if !go_on(self) {
                        return;
                    }
                } else {
                    under_way.push(Box::pin(ended));
                }
            }
            if !go_on(self) {
                return;
            }
            match under_way.next().await {
                Some(ended) => self.end(ended),
                None => return,
            }
            if !go_on(self) {
                return;
            }
        }
    }

    /// The next fetch that is ready and has something to send.
    fn next_request(&mut self, under_way: usize) -> Option<(FetchId, Request)> {
        while let Some(id) = self.ready.pop_front() {
            let (first, more) = self.requests(id);
            self.open[id] = usize::from(first.is_some()) + more.len();
            if self.open[id] == 0 {
                self.done(id);
            }
            self.queued.extend(more.into_iter().map(|request| (id, request)));
            if let Some(request) = first {
                return Some((id, request));
            }
        }
        if under_way < MANY {
            self.queued.pop_front()
        } else {
            None
        }
    }

    /// What a fetch sends at once, and what it sends besides as there is room for it.
    fn requests(&mut self, id: FetchId) -> (Option<Request>, Vec<Request>) {
        self.errors.origin = Some(id);
        let fetch = &self.program.fetches[id];
        if let Some(group) = fetch.contextual() {
            let (mut requests, left_out) = context::requests(fetch, group, self.inputs, self.tree());
            requests.extend(fallback(fetch, self.inputs, self.tree(), left_out));
            return (None, requests);
        }
        let Made { body, sent, left_out } = request(fetch, self.inputs, self.tree());
        let besides = fallback(fetch, self.inputs, self.tree(), left_out);
        self.reuse(fetch, &sent);
        let first = body.map(|body| Request {
            body,
            sent,
            fallback: false,
        });
        (first, besides.into_iter().collect())
    }

    fn tree(&self) -> Tree<'_> {
        Tree {
            arena: &self.arena,
            root: self.root,
            failed: &self.failed,
            only: None,
        }
    }

    /// What a fetch (one without arguments from the context) sends now, if it has nothing to send besides; `None`
    /// when there is no entity to ask for.
    pub fn request(&mut self, id: FetchId) -> Option<Request> {
        self.requests(id).0
    }

    /// Takes over the entities that are there already.
    fn reuse(&mut self, fetch: &Fetch, sent: &[SentGroup]) {
        if let Entry::Entities(groups) = &fetch.entry {
            for (((_, shape), group), sent) in fetch.shape.objects().zip(groups).zip(sent) {
                for reused in &sent.reused {
                    if self.arena.copied >= self.inputs.max_answer {
                        return self.push_failure(fetch, Vec::new(), &unattached(Unattached::TooMuch));
                    }
                    self.arena.reuse(group, reused, shape.exclusive);
                }
            }
            // What is known is not news: what it contradicts was said when it came.
            self.arena.disputed.clear();
        }
    }

    fn end(&mut self, ended: Ended) {
        self.calls += 1;
        let before = self.errors.total();
        self.errors.origin = Some(ended.fetch);
        self.receive(ended.fetch, &ended.request, ended.result);
        self.failed[ended.fetch] |= self.errors.total() > before;
        let open = &mut self.open[ended.fetch];
        *open = open.saturating_sub(1);
        if *open == 0 {
            self.done(ended.fetch);
        }
    }

    /// Lets those that waited for `fetch` go on, whatever became of it.
    fn done(&mut self, fetch: FetchId) {
        self.waits[fetch] = DONE;
        for &dependent in &self.program.fetches[fetch].dependents {
            self.waits[dependent] -= 1;
            if self.waits[dependent] == 0 {
                self.ready.push_back(dependent);
            }
        }
    }

    /// Whether a fetch has ended, or had nothing to send.
    pub(crate) fn is_done(&self, fetch: FetchId) -> bool {
        self.waits[fetch] == DONE
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// The client's answer, of all that was received.
    pub fn answer(&mut self) -> Answer {
        let body = write_answer(
            self.program,
            self.inputs,
            &self.arena,
            self.root,
            &mut self.errors,
        );
        Answer {
            body,
            errors: self.errors.total(),
            calls: self.calls,
        }
    }
}
