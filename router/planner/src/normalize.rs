//! Expands a client's selection: fragments resolved to the object types they match, `@skip` and
//! `@include` evaluated, fields merged by response key for each runtime type.
//! <https://spec.graphql.org/October2021/#CollectFields()>
use apollo_compiler::ast::{DirectiveList, Type};
use apollo_compiler::executable::{Field, Selection as AstSelection, SelectionSet};
use apollo_compiler::{Name, Node};
use hashbrown::{DefaultHashBuilder, HashSet};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::directed::{self, Way};
use crate::incremental::{self, Deferring};
use crate::operation::Operation;
use crate::operation::conditions::included;
use crate::plan::{Deferral, FragmentId};
use crate::settings::{Budget, PlanError};
use crate::supergraph::field_set::Args;
use crate::supergraph::model::{Kind, Model};
use crate::supergraph::types::{TypeIx, Types};

/// Nesting of selections.
const DEPTH_LIMIT: usize = 200;

/// The client's selection at one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Of the fields with one response key at most one applies to a runtime type. In the client's order.
    pub fields: Vec<SelectedField>,
    /// Deferred fragments that begin here.
    pub spreads: Vec<Spread>,
}

/// A deferred fragment at one place.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    pub fragment: FragmentId,
    /// Object types to which it applies.
    pub on: Types,
}

#[derive(Clone, Debug)]
pub(crate) struct SelectedField {
    pub response_key: Name,
    /// Object types of the public schema to which it applies.
    pub on: Types,
    /// Whether it is selected under type conditions only, be it under one for each type.
    pub conditional: bool,
    /// When it comes; `None`: at once.
    pub deferral: Option<Box<Deferral>>,
    pub what: Selected,
}

#[derive(Clone, Debug)]
pub(crate) enum Selected {
    Typename,
    /// `__schema` or `__type`.
    Given,
    Field(FieldUse),
    /// Removed by authorization.
    Withheld(FieldUse),
}

#[derive(Clone, Debug)]
pub(crate) struct FieldUse {
    pub name: Name,
    pub args: Args,
    /// Type of the field on these object types.
    pub ty: Type,
    /// Empty for leaves.
    pub sub: Selection,
}

pub(crate) struct Normalizer<'a> {
    pub model: &'a Model,
    pub operation: &'a Operation,
    pub variables: &'a Map<String, Value>,
    pub budget: &'a mut Budget,
    pub deferring: &'a mut Deferring,
}

struct Collected<'a> {
    on: Under,
    node: &'a Node<Field>,
}

/// Under which type conditions a selection stands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Under {
    /// The object types that are left.
    on: Types,
    /// Whether one of the conditions is an object type, also where no other can be met.
    concrete: bool,
    /// The innermost deferred fragment around it.
    deferred: Option<FragmentId>,
    /// The fragments around it that bear directives of subgraphs.
    way: Way,
}

/// A selection set of one place: for which types, in which deferred fragment.
type Set<'a> = (Types, Option<FragmentId>, &'a SelectionSet);

/// Selections of one response key that apply to the same types with the same type: which of all that count, the type,
/// and what defers them.
type Class<'t> = (Vec<usize>, Option<&'t Type>, Vec<Option<FragmentId>>);

/// The fields of one place in the making.
#[derive(Default)]
struct Gathered<'a> {
    order: usize,
    /// Named fragments that were expanded for these types already.
    seen: HashSet<(&'a Name, Under)>,
    by_key: ByKey<'a>,
    spreads: Vec<Spread>,
}

type ByKey<'a> = IndexMap<&'a Name, Vec<(usize, Collected<'a>)>, DefaultHashBuilder>;

impl<'a> Normalizer<'a> {
    /// Expands the whole operation; `root` is its root type.
    pub fn operation(&mut self, root: TypeIx) -> Result<Selection, PlanError> {
        let operation = self.operation;
        self.place(
            &Types::one(root),
            &[(Types::one(root), None, &operation.operation.selection_set)],
            0,
        )
    }

    fn place(&mut self, types: &Types, sets: &[Set<'a>], depth: usize) -> Result<Selection, PlanError> {
        if depth > DEPTH_LIMIT {
            return Err(PlanError::TooDeep(DEPTH_LIMIT));
        }
        let mut gathered = Gathered::default();
        for (on, deferred, set) in sets {
            let under = Under {
                on: on.clone(),
                concrete: false,
                deferred: *deferred,
                way: None,
            };
            self.collect(set, &under, &mut gathered, depth)?;
        }
        let mut fields = Vec::new();
        for (key, nodes) in &gathered.by_key {
            self.merge(key, types, nodes, depth, &mut fields)?;
        }
        fields.sort_by_key(|(order, _)| *order);
        Ok(Selection {
            fields: fields.into_iter().map(|(_, field)| field).collect(),
            spreads: gathered.spreads,
        })
    }

    fn collect(
        &mut self,
        set: &'a SelectionSet,
        on: &Under,
        out: &mut Gathered<'a>,
        depth: usize,
    ) -> Result<(), PlanError> {
        if depth > DEPTH_LIMIT {
            return Err(PlanError::TooDeep(DEPTH_LIMIT));
        }
        self.budget.spend(4 * (1 + set.selections.len()))?;
        for selection in &set.selections {
            if !included(selection.directives(), self.variables) {
                continue;
            }
            match selection {
                AstSelection::Field(node) => {
                    out.order += 1;
                    let collected = Collected { on: on.clone(), node };
                    out.by_key
                        .entry(node.response_key())
                        .or_default()
                        .push((out.order, collected));
                }
                AstSelection::InlineFragment(fragment) => {
                    let on = match &fragment.type_condition {
                        Some(name) => self.condition(on, name),
                        None => on.clone(),
                    };
                    if !on.on.is_empty() {
                        let on = self.defer(&fragment.directives, on, out);
                        let way = directed::inline(&on.way, &fragment.directives);
                        let on = Under { way, ..on };
                        self.collect(&fragment.selection_set, &on, out, depth + 1)?;
                    }
                }
                AstSelection::FragmentSpread(spread) => {
                    let document = &self.operation.document;
                    let Some(fragment) = document.fragments.get(&spread.fragment_name) else {
                        continue;
                    };
                    let on = self.condition(on, &fragment.selection_set.ty);
                    let on = self.defer(&spread.directives, on, out);
                    let way = directed::spread(&on.way, &spread.directives, &fragment.directives);
                    let on = Under { way, ..on };
                    if !on.on.is_empty() && out.seen.insert((&spread.fragment_name, on.clone())) {
                        self.collect(&fragment.selection_set, &on, out, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn condition(&self, under: &Under, name: &str) -> Under {
        let condition = self.model.named(name).map(|t| self.model.ty(t));
        let on = condition.map(|ty| under.on.and(&ty.possible));
        Under {
            on: on.unwrap_or_default(),
            concrete: under.concrete || condition.is_some_and(|ty| ty.kind == Kind::Object),
            deferred: under.deferred,
            way: under.way.clone(),
        }
    }

    /// What stands in a fragment with these directives.
    fn defer(&mut self, directives: &DirectiveList, under: Under, out: &mut Gathered<'a>) -> Under {
        let fragment = self
            .deferring
            .fragment(directives, self.variables, under.deferred);
        let Some(fragment) = fragment.filter(|_| !under.on.is_empty()) else {
            return under;
        };
        let on = under.on.clone();
        out.spreads.push(Spread { fragment, on });
        Under {
            deferred: Some(fragment),
            ..under
        }
    }

    /// Splits the runtime types of one response key by which selections apply and which type the field has.
    fn merge(
        &mut self,
        key: &Name,
        types: &Types,
        nodes: &[(usize, Collected<'a>)],
        depth: usize,
        out: &mut Vec<(usize, SelectedField)>,
    ) -> Result<(), PlanError> {
        let conditional = nodes
            .iter()
            .all(|(_, node)| node.on.concrete || node.on.on != *types);
        for ((which, ty, deferred), on) in self.classes(types, nodes)? {
            let (order, first) = (nodes[which[0]].0, nodes[which[0]].1.node);
            let on: Types = on.into_iter().collect();
            let mut deferral = self.deferring.deferral(&deferred);
            let what = match (first.name.as_str(), ty) {
                ("__typename", _) => Selected::Typename,
                ("__schema" | "__type", _) => Selected::Given,
                (_, ty) => {
                    let ty = ty.unwrap_or_else(|| first.ty()).clone();
                    let set = |i: &usize| (nodes[*i].1.on.deferred, &nodes[*i].1.node.selection_set);
                    let sub = self.sub(&ty, which.iter().map(set).collect(), depth)?;
                    let args = first
                        .arguments
                        .iter()
                        .map(|a| (a.name.clone(), (*a.value).clone()))
                        .collect();
                    if !sub.fields.is_empty() {
                        let known = (deferral, deferred.len());
                        deferral = self.deferring.stream(&first.directives, self.variables, known);
                    }
                    let directed =
                        directed::of(which.iter().map(|i| (nodes[*i].1.node, &nodes[*i].1.on.way)));
                    Selected::Field(FieldUse {
                        name: first.name.clone(),
                        args: Args::new(args).with(directed),
                        ty,
                        sub,
                    })
                }
            };
            self.budget.spend(1)?;
            out.push((
                order,
                SelectedField {
                    response_key: key.clone(),
                    on,
                    conditional,
                    deferral,
                    what,
                },
            ));
        }
        Ok(())
    }

    fn classes(
        &mut self,
        types: &Types,
        nodes: &[(usize, Collected<'a>)],
    ) -> Result<IndexMap<Class<'a>, Vec<TypeIx>, DefaultHashBuilder>, PlanError> {
        let directed = nodes
            .iter()
            .any(|(_, node)| directed::is_directed(node.node, &node.on.way));
        let mut classes: IndexMap<Class<'_>, Vec<TypeIx>, DefaultHashBuilder> = IndexMap::default();
        for t in types.iter() {
            self.budget.spend(nodes.len())?;
            let mut which: Vec<usize> = (0..nodes.len())
                .filter(|i| nodes[*i].1.on.on.contains(t))
                .collect();
            let Some(first) = which.first().copied() else {
                continue;
            };
            let node = nodes[first].1.node;
            let deferred = incremental::all(which.iter().map(|i| nodes[*i].1.on.deferred));
            if node.selection_set.is_empty() && !directed {
                which.truncate(1);
            }
            classes
                .entry((which, self.field_type(t, node), deferred))
                .or_default()
                .push(t);
        }
        Ok(classes)
    }

    fn field_type(&self, t: TypeIx, node: &Field) -> Option<&'a Type> {
        let model = self.model;
        model.ty(t).fields.get(&node.name).map(|f| &f.ty)
    }

    fn sub(
        &mut self,
        ty: &Type,
        sets: Vec<(Option<FragmentId>, &'a SelectionSet)>,
        depth: usize,
    ) -> Result<Selection, PlanError> {
        let Some(inner) = self.model.inner(ty) else {
            return Ok(Selection::default());
        };
        let def = self.model.ty(inner);
        if !matches!(def.kind, Kind::Object | Kind::Interface | Kind::Union) {
            return Ok(Selection::default());
        }
        let types = self.model.visible(&def.possible);
        // A set is typed by the field it stands under, which may be wider than this object type's field.
        let sets = sets
            .into_iter()
            .map(|(deferred, set)| (types.clone(), deferred, set));
        let sets: Vec<_> = sets.collect();
        self.place(&types, &sets, depth + 1)
    }
}
