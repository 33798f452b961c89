//! Parts as clients of `deferSpec=20220824` read them: a fragment at an object is one message, with all it selects.
//! <https://specs.apollo.dev/incremental/v0.1/>
use super::Delivery;
use super::homes::Homes;
use super::message::Message;
use super::state::Stage;
use crate::schedule::Run;
use crate::view::Shown;

impl<'p> Delivery<'p> {
    /// All that can be told now.
    pub(super) fn more_whole(&mut self, run: &mut Run<'p>, message: &mut Message) {
        // Those that wait for one are noted after it.
        let mut at = 0;
        while at < self.state.instances.len() {
            let instance = &self.state.instances[at];
            if matches!(instance.stage, Stage::Pending(_)) && self.is_ready(instance.fragment) {
                self.write_fragment(run, message, at);
            }
            at += 1;
        }
    }

    fn write_fragment(&mut self, run: &mut Run<'p>, message: &mut Message, at: usize) {
        let before = run.errors.kept();
        let instance = &self.state.instances[at];
        let (fragment, place) = (instance.fragment, instance.place.clone());
        let (data, found) = self.write(run, message, &place, Shown::Fragment(fragment));
        let homes = Homes::new(self.program);
        let errors = run.errors.tell(|at, problem, origin| {
            at >= before || homes.is_of(fragment, problem, origin) && homes.is_at(&place.path, problem)
        });
        let label = self.state.instances[at].label;
        match &place.rest {
            Some(rest) => message.rest_of_list(label, (&place.path, rest.first), data.as_deref(), errors),
            None => message.fragment(label, &place.path, data.as_deref(), errors),
        }
        // What is found is announced at once, and so must be what waits for this.
        self.state.done(at);
        self.state.note(found);
    }
}
