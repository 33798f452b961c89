//! Parts by the present draft: each field is told once, with the fragments that it completes.
use super::Delivery;
use super::homes::Homes;
use super::message::Message;
use super::state::{Stage, Waiting};
use crate::schedule::Run;
use crate::view::Shown;

impl<'p> Delivery<'p> {
    /// All that can be told now.
    pub(super) fn more_pending(&mut self, run: &mut Run<'p>, message: &mut Message) {
        loop {
            let written = self.write_waiting(run, message);
            let completed = self.complete(run, message);
            if !written && !completed {
                return;
            }
        }
    }

    /// Writes the parts of objects that are ready, and gives whether there was any.
    fn write_waiting(&mut self, run: &mut Run<'p>, message: &mut Message) -> bool {
        let mut any = false;
        let mut kept = Vec::new();
        for waiting in std::mem::take(&mut self.state.waiting) {
            let stage = |holder: &usize| &self.state.instances[*holder].stage;
            let lost = |holder: &usize| matches!(stage(holder), Stage::Failed(..) | Stage::Dropped);
            let known = |holder: &usize| matches!(stage(holder), Stage::Pending(_));
            if waiting.holders.iter().all(lost) {
                // Nobody waits for it any more.
                self.close(&waiting);
            } else if self.ready[waiting.part.0 as usize] && waiting.holders.iter().any(known) {
                any = true;
                self.close(&waiting);
                self.write_one(run, message, &waiting);
            } else {
                kept.push(waiting);
            }
        }
        kept.append(&mut self.state.waiting);
        self.state.waiting = kept;
        any
    }

    fn close(&mut self, waiting: &Waiting<'p>) {
        for holder in &waiting.holders {
            self.state.instances[*holder].open -= 1;
        }
    }

    fn write_one(&mut self, run: &mut Run<'p>, message: &mut Message, waiting: &Waiting<'p>) {
        let Waiting { part, place, holders } = waiting;
        let before = run.errors.kept();
        let (data, found) = self.write(run, message, place, Shown::Part(*part));
        let homes = Homes::new(self.program);
        let errors = run.errors.tell(|at, problem, origin| {
            at >= before || homes.is_in(*part, problem, origin) && homes.is_at(&place.path, problem)
        });
        let pending = |holder: &usize| match self.state.instances[*holder].stage {
            Stage::Pending(id) => Some((*holder, id)),
            _ => None,
        };
        let holders: Vec<(usize, u32)> = holders.iter().filter_map(pending).collect();
        let Some(data) = data else {
            for (holder, id) in holders {
                self.state.instances[holder].stage = Stage::Failed(id, errors.clone());
            }
            return;
        };
        let depth = |(holder, _): &&(usize, u32)| self.state.instances[*holder].place.path.len();
        if let Some((best, id)) = holders.iter().max_by_key(depth) {
            let below = &place.path[self.state.instances[*best].place.path.len()..];
            match &place.rest {
                Some(_) => message.items(*id, &data, errors),
                None => message.object(*id, below, &data, errors),
            }
        }
        let announced = self.state.note(found);
        message.pending(self.told(&announced));
    }

    /// Tells of fragments that are complete, and announces those that waited for them.
    fn complete(&mut self, run: &mut Run<'p>, message: &mut Message) -> bool {
        let mut any = false;
        for at in 0..self.state.instances.len() {
            let instance = &self.state.instances[at];
            match &instance.stage {
                Stage::Failed(id, errors) => {
                    message.completed(*id, errors);
                    self.state.dropped(at);
                }
                Stage::Pending(id) if instance.open == 0 && self.is_ready(instance.fragment) => {
                    let homes = Homes::new(self.program);
                    let (fragment, path) = (instance.fragment, &instance.place.path);
                    // Of places of which nothing was written.
                    let errors = run.errors.tell(|_, problem, origin| {
                        homes.is_of(fragment, problem, origin) && homes.is_at(path, problem)
                    });
                    if !errors.is_empty() {
                        message.object(*id, &[], b"{}", errors);
                    }
                    message.completed(*id, &[]);
                    let announced = self.state.done(at);
                    message.pending(self.told(&announced));
                }
                _ => continue,
            }
            any = true;
        }
        any
    }
}
