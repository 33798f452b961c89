//! Writes the client's answer in one walk of the projection, with the null rules of the GraphQL specification,
//! section 6.4.4, <https://spec.graphql.org/October2021/#sec-Handling-Field-Errors>:
//! a null in a non-null place cuts the text back to the nearest place that may be null.
mod leaves;
mod lists;

use baedal_planner::plan::{PartId, Slot, Wrapping};
use bytes::Bytes;

use crate::arena::{Arena, Cursor, ObjectId, Value};
use crate::errors::{Errors, Extensions, Problem, Segment};
use crate::inputs::Inputs;
use crate::memo::Memo;
use crate::output::{Mark, Output};
use crate::program::Program;
use crate::projection::{Composite, Field, Projection, Source};
use crate::receive::ANSWER_TOO_LARGE;
use crate::schedule::Run;
use crate::trail::{Step, Trail};
use crate::types::RuntimeType;
use crate::view::{Found, Parts, Rest, Shown, View, Whole};

/// Bytes that are reserved for a part of an answer.
const SMALL: usize = 256;

/// Why nothing can stand at a place. The error is noted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Null may not, so the place above becomes null.
    Bubble,
    /// The answer is too large, so all of it becomes null.
    TooLarge,
}

type Written = Result<(), Stop>;

struct Writer<'p, 'a, V> {
    program: &'p Program,
    inputs: &'a Inputs,
    arena: &'a Arena,
    errors: &'a mut Errors,
    view: &'a mut V,
    /// How many bytes there may be.
    room: usize,
    out: Output<'a>,
    memo: Memo,
    /// How often text was taken back.
    cuts: usize,
}

/// With more fields than this, selected and present, slots are looked up in a sorted copy.
const NARROW: usize = 48;

/// How the slots of an object are found.
enum Lookup {
    InOrder(Cursor),
    Sorted(Vec<(Slot, Value)>),
}

/// Writes the whole body.
pub(crate) fn write_answer(
    program: &Program,
    inputs: &Inputs,
    arena: &Arena,
    root: ObjectId,
    errors: &mut Errors,
) -> Bytes {
    let mut out = Output::new(arena, inputs.max_answer);
    out.text(b"{\"data\":");
    let mark = out.mark();
    let mut writer = Writer {
        program,
        inputs,
        arena,
        errors,
        view: &mut Whole,
        room: inputs.max_answer,
        out,
        memo: Memo::new(arena.objects()),
        cuts: 0,
    };
    if writer
        .object(root, RuntimeType::Unknown, &program.answer, None)
        .is_err()
    {
        writer.null_at(mark);
    }
    let Writer { out, errors, .. } = writer;
    out.finish(|out| {
        errors.write(out);
        out.push(b'}');
    })
}

/// Writes what a view shows of an object; `None` if nothing can stand there (the errors say why).
pub(crate) fn write_part<'p>(
    run: &mut Run<'p>,
    place: &Found<'p>,
    view: &mut Parts<'p, '_>,
    room: usize,
) -> Option<Bytes> {
    let mut writer = Writer {
        program: run.program,
        inputs: run.inputs,
        arena: &run.arena,
        errors: &mut run.errors,
        view,
        room,
        out: Output::with_capacity(&run.arena, SMALL),
        memo: Memo::default(),
        cuts: 0,
    };
    let trail = Trail {
        above: None,
        at: Step::Place(&place.path),
    };
    let written = match &place.rest {
        Some(rest) => writer.rest(rest, &trail),
        None => writer.object(place.object, place.runtime, place.projection, Some(&trail)),
    };
    let Writer { out, view, .. } = writer;
    match written {
        Ok(()) => Some(out.finish(|_| ())),
        Err(_) => {
            view.cut(0);
            None
        }
    }
}

impl<'p, V: View<'p>> Writer<'p, '_, V> {
    fn object(
        &mut self,
        object: ObjectId,
        runtime: RuntimeType,
        projection: &'p Projection,
        above: Option<&Trail<'_>>,
    ) -> Written {
        if self.out.len() > self.room {
            return self.too_large(above);
        }
        let start = self.out.len();
        if let Some(text) = self.memo.find(object, projection) {
            if start + text.len() > self.room {
                return self.too_large(above);
            }
            self.out.repeat(text);
            return Ok(());
        }
        let before = (self.cuts, self.errors.total());
        self.view.enter(start, (object, runtime, projection), above);
        let mut lookup = self.lookup(object, projection);
        let mut empty = true;
        for field in &projection.fields {
            if field.on.matches(runtime) && self.view.shows(field) {
                self.out.literal(if empty { &field.first } else { &field.next });
                empty = false;
                let value = field
                    .source
                    .slot()
                    .and_then(|(slot, _)| self.find(object, slot, &mut lookup));
                let trail = Trail {
                    above,
                    at: Step::Key(&field.response_key),
                };
                self.field(field, value, runtime, &trail)?;
            }
        }
        if empty {
            self.out.byte(b'{');
        }
        self.out.byte(b'}');
        // What is wrong in it is told at each place, with its path.
        if V::REPEATS && before == (self.cuts, self.errors.total()) {
            self.memo.keep(object, projection, start..self.out.len());
        }
        Ok(())
    }

    fn lookup(&self, object: ObjectId, projection: &Projection) -> Lookup {
        let entries = || {
            self.arena
                .runs(object)
                .flat_map(|run| &self.arena.entries[run.range()])
        };
        if projection.fields.len() <= NARROW || entries().nth(NARROW).is_none() {
            return Lookup::InOrder(self.arena.cursor(object));
        }
        let mut sorted: Vec<(Slot, Value)> = entries().map(|entry| (entry.slot, entry.value)).collect();
        sorted.sort_by_key(|(slot, _)| *slot);
        Lookup::Sorted(sorted)
    }

    #[inline]
    fn find(&self, object: ObjectId, slot: Slot, lookup: &mut Lookup) -> Option<Value> {
        match lookup {
            Lookup::InOrder(cursor) => self.arena.find_next(object, slot, cursor),
            Lookup::Sorted(sorted) => {
                let at = sorted.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
                Some(sorted[at].1)
            }
        }
    }

    fn field(
        &mut self,
        field: &'p Field,
        value: Option<Value>,
        runtime: RuntimeType,
        trail: &Trail<'_>,
    ) -> Written {
        match &field.source {
            Source::Leaf(_, wrapping, kind) => self.leaf(value, wrapping, kind, trail),
            Source::Object(_, wrapping, composite) => {
                if !V::REPEATS
                    && let (Some(stream), Some(Value::List(items)), Some(item)) =
                        (field.stream(), value, &wrapping.item)
                {
                    let rest = Rest {
                        items,
                        first: self.inputs.initial_count(&stream.first),
                        wrapping: item,
                        of: composite,
                        shown: Shown::Part(PartId::FIRST),
                    };
                    return self.streamed(stream, rest, wrapping, trail);
                }
                self.composite(value, wrapping, composite, trail)
            }
            Source::Typename(certain) => self.typename(runtime, certain.as_deref(), trail),
            Source::Given => {
                let given = self.inputs.given(&field.response_key);
                self.out.text(given.map_or(b"null", |json| json));
                Ok(())
            }
            Source::Withheld(wrapping) if wrapping.nullable => {
                self.out.text(b"null");
                Ok(())
            }
            Source::Withheld(_) => Err(Stop::Bubble),
        }
    }

    fn typename(&mut self, runtime: RuntimeType, certain: Option<&[u8]>, trail: &Trail<'_>) -> Written {
        let name = match runtime {
            RuntimeType::Known(id) => Some(self.program.types.quoted(id)),
            _ => certain,
        };
        match name {
            Some(name) => {
                self.out.text(name);
                Ok(())
            }
            None => self.no_null(trail),
        }
    }

    fn composite(
        &mut self,
        value: Option<Value>,
        wrapping: &Wrapping,
        of: &'p Composite,
        trail: &Trail<'_>,
    ) -> Written {
        let mark = self.out.mark();
        let written = match (value, &wrapping.item) {
            (Some(Value::Object(object)), None) => self.typed_object(object, wrapping, of, trail),
            (Some(Value::List(run)), Some(item)) => self.items(self.arena.items(run), 0, (item, of), trail),
            (None | Some(Value::Null), _) => self.null(wrapping, trail),
            _ if wrapping.item.is_some() => self.wrong("a list", trail),
            _ => self.wrong("an object", trail),
        };
        self.settle(written, wrapping, mark)
    }

    /// An object of a type the public schema does not show here is null.
    fn typed_object(
        &mut self,
        object: ObjectId,
        wrapping: &Wrapping,
        of: &'p Composite,
        trail: &Trail<'_>,
    ) -> Written {
        let runtime = match (self.arena.runtime(object), of.certain) {
            (RuntimeType::Unknown, Some(certain)) => RuntimeType::Known(certain),
            (runtime, _) => runtime,
        };
        match runtime {
            RuntimeType::Known(id) if of.certain.is_some_and(|certain| certain != id) => {
                self.wrong("an object of the type that is certain here", trail)
            }
            RuntimeType::Known(_) if !of.possible.matches(runtime) => self.null(wrapping, trail),
            RuntimeType::Foreign => self.wrong("an object of a type that is possible here", trail),
            _ => self.object(object, runtime, &of.projection, Some(trail)),
        }
    }

    /// Where null may stand, nothing bubbles further.
    fn settle(&mut self, written: Written, wrapping: &Wrapping, mark: Mark) -> Written {
        if written == Err(Stop::Bubble) && wrapping.nullable {
            self.null_at(mark);
            return Ok(());
        }
        written
    }

    fn null_at(&mut self, mark: Mark) {
        self.cuts += 1;
        // What was kept may be taken back with it; an answer with such a null is written without.
        self.memo = Memo::default();
        self.view.cut(mark.place());
        self.out.cut(mark);
        self.out.text(b"null");
    }

    fn null(&mut self, wrapping: &Wrapping, trail: &Trail<'_>) -> Written {
        if wrapping.nullable {
            self.out.text(b"null");
            return Ok(());
        }
        self.no_null(trail)
    }

    /// Null in a non-null place: one error, unless one says already why.
    fn no_null(&mut self, trail: &Trail<'_>) -> Written {
        if self.errors.is_full() || !self.errors.explain(&trail.path()) {
            let message = |path: &[Segment]| {
                let keys = path.iter().filter_map(|step| {
                    if let Segment::Key(key) = step {
                        Some(&**key)
                    } else {
                        None
                    }
                });
                format!(
                    "Cannot return null for non-nullable field {}.",
                    keys.collect::<Vec<_>>().join(".")
                )
            };
            self.push(trail, "NON_NULL_VIOLATION", message);
        }
        Err(Stop::Bubble)
    }

    #[cold]
    fn too_large(&mut self, above: Option<&Trail<'_>>) -> Written {
        self.errors.push(|| Problem {
            message: format!("The answer is larger than {} bytes.", self.inputs.max_answer).into(),
            path: above.map_or_else(Vec::new, Trail::path),
            extensions: Extensions::code(ANSWER_TOO_LARGE),
        });
        Err(Stop::TooLarge)
    }

    fn wrong(&mut self, expected: &str, trail: &Trail<'_>) -> Written {
        self.push(trail, "INVALID_VALUE", |_| {
            format!("The subgraph's value is not {expected}.")
        });
        Err(Stop::Bubble)
    }

    fn push(&mut self, trail: &Trail<'_>, code: &str, message: impl FnOnce(&[Segment]) -> String) {
        self.errors.push(|| {
            let path = trail.path();
            Problem {
                message: message(&path).into(),
                path,
                extensions: Extensions::code(code),
            }
        });
    }
}
