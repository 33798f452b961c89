//! Prints what a fetch selects, and the shape of what comes back.
//!
//! A *level* is everything under one response path, over all type conditions, since there a
//! response key must have one shape (<https://spec.graphql.org/October2021/#SameResponseShape()>).
//! In a subgraph's schema two fields may differ that are alike in the supergraph; then one gets an alias.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;

use apollo_compiler::ast::Type;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use indexmap::IndexMap;

use super::around::{Condition, Fragments};
use super::text;
use crate::directed::Way;
use crate::graph::Overlay;
use crate::plan::{Keep, Shape, ShapeField};
use crate::project::Interner;
use crate::supergraph::contexts::ContextArg;
use crate::supergraph::model::{Kind, Model, SubId};
use crate::supergraph::types::{TypeIx, Types};
use crate::walk::{FieldKey, Pick, PosId, Position, Walk};

pub(super) struct Printer<'m> {
    model: &'m Model,
    sub: SubId,
    /// Client variables met.
    pub variables: BTreeSet<String>,
    /// Named fragments that the texts use.
    pub fragments: Fragments,
    interfaces: Vec<TypeIx>,
    /// The entity fetch being printed, and the variables of its contextual arguments.
    pub filled: Option<(PosId, Vec<Variable<'m>>)>,
}

/// A contextual argument, and the variable that carries its value.
pub(super) type Variable<'m> = (&'m ContextArg, String);

/// A field of a slot, its type in the subgraph, and the alias of both.
type Variant = (FieldKey, Type, Rc<str>);

/// A field to print under a type condition, or directly.
struct Item {
    pos: PosId,
    fragment: Option<TypeIx>,
    slot: Rc<str>,
    key: FieldKey,
    ty: Type,
    child: Option<PosId>,
    alias: Rc<str>,
}

impl<'m> Printer<'m> {
    pub fn new(model: &'m Model, sub: SubId) -> Printer<'m> {
        let is = |t: &TypeIx| {
            model.ty(*t).kind == Kind::Interface && model.sub(sub, *t).is_some_and(|s| !s.interface_object)
        };
        let interfaces = (0..model.types.len() as u32).map(TypeIx).filter(is).collect();
        Printer {
            model,
            sub,
            variables: BTreeSet::new(),
            fragments: Fragments::default(),
            interfaces,
            filled: None,
        }
    }

    /// Prints the positions of one level: the selection of each, and the shape of all together.
    pub fn level(
        &mut self,
        walk: &Walk<'_>,
        positions: &[PosId],
        names: &mut Interner,
    ) -> (HashMap<PosId, String>, Shape) {
        let mut items = Vec::new();
        for pos in positions {
            let slots = &walk.places[walk.positions[*pos].place].slots;
            let mut picks: Vec<&Pick> = walk.positions[*pos].picks.iter().collect();
            picks.sort_by_cached_key(|pick| slots.order(&pick.slot));
            for pick in picks {
                self.items(walk, *pos, pick, &mut items);
            }
        }
        self.assign_aliases(&mut items);
        let mut children: IndexMap<Rc<str>, Vec<PosId>, DefaultHashBuilder> = IndexMap::default();
        for item in &items {
            if let Some(child) = item.child {
                let known = children.entry(item.alias.clone()).or_default();
                if !known.contains(&child) {
                    known.push(child);
                }
            }
        }
        let mut printed = Level {
            items,
            ..Level::default()
        };
        for (alias, positions) in children {
            let (texts, shape) = self.level(walk, &positions, names);
            printed.below.extend(texts);
            printed.shapes.insert(alias, shape);
        }
        let mut texts = HashMap::new();
        for pos in positions {
            texts.insert(
                *pos,
                self.position(*pos, &walk.positions[*pos], &mut printed, names),
            );
        }
        (texts, printed.shape.shape)
    }

    fn position(
        &mut self,
        pos: PosId,
        position: &Position<'_>,
        level: &mut Level,
        names: &mut Interner,
    ) -> String {
        let Level {
            items,
            below,
            shapes,
            shape,
        } = level;
        let mut parts: IndexMap<(Option<TypeIx>, Way), String> = IndexMap::new();
        let mine = || items.iter().filter(|i| i.pos == pos);
        if position.typename {
            parts.entry((None, None)).or_default().push_str("__typename");
            shape.note(&"__typename".into(), || Keep::Typename);
        }
        for item in mine()
            .filter(|i| i.fragment.is_none())
            .chain(mine().filter(|i| i.fragment.is_some()))
        {
            for way in item.key.args.ways() {
                let part = parts.entry((item.fragment, way.clone())).or_default();
                self.item(item, below, part);
            }
            let slot = names.slot(&item.slot);
            shape.note(&item.alias, || match item.child {
                Some(_) => Keep::Object(slot, shapes.remove(&item.alias).unwrap_or_default()),
                None => Keep::Leaf(slot),
            });
        }
        let mut text = String::new();
        for ((fragment, way), part) in parts {
            let condition = Condition {
                is_needed: fragment.is_some(),
                name: fragment
                    .or(position.declared)
                    .map_or("", |ty| &self.model.ty(ty).name),
            };
            let part = self.fragments.around(part, condition, &way, &mut self.variables);
            if !part.starts_with('.') {
                separate(&mut text);
            }
            text.push_str(&part);
        }
        if text.is_empty() {
            "__typename".into()
        } else {
            text
        }
    }

    fn item(&mut self, item: &Item, below: &HashMap<PosId, String>, part: &mut String) {
        separate(part);
        if *item.alias != *item.key.name.as_str() {
            _ = write!(part, "{}:", item.alias);
        }
        part.push_str(&item.key.name);
        let filled = self.filled_arguments(item);
        text::arguments(&item.key.args, &filled, &mut self.variables, part);
        if let Some(child) = item.child {
            _ = write!(
                part,
                "{{{}}}",
                below.get(&child).map_or("__typename", |s| s.as_str())
            );
        }
    }

    /// The item's contextual arguments, each with its variable.
    fn filled_arguments(&self, item: &Item) -> Vec<(&'m str, String)> {
        let Some((_, variables)) = self.filled.as_ref().filter(|(pos, _)| *pos == item.pos) else {
            return Vec::new();
        };
        let model: &'m Model = self.model;
        let field = item
            .fragment
            .and_then(|local| model.sub_field(self.sub, local, &item.key.name));
        let args = field.map_or(&[][..], |field| field.context.as_slice());
        let variable = |arg: &'m ContextArg| variables.iter().find(|(known, _)| *known == arg);
        args.iter()
            .filter_map(|arg| variable(arg).map(|(_, name)| (arg.name.as_str(), name.clone())))
            .collect()
    }

    /// A pick as it stands in this subgraph: at once where the declared type has the field for all
    /// its runtime types, else under conditions.
    fn items(&self, walk: &Walk<'_>, pos: PosId, pick: &Pick, out: &mut Vec<Item>) {
        let position = &walk.positions[pos];
        let mut add = |fragment: Option<TypeIx>, ty: Type| {
            let (slot, key, child) = (pick.slot.clone(), pick.key.clone(), pick.child);
            out.push(Item {
                pos,
                fragment,
                slot,
                key,
                ty,
                child,
                alias: "".into(),
            });
        };
        let cover = position.cover.types();
        if let Some(declared) = position.declared
            && let Some(ty) = self.field_type(declared, pick)
            && self.direct(walk, declared, cover, &pick.on)
        {
            return add(None, ty);
        }
        let on = pick.on.and(cover);
        if let Some(interface) = self.interface_for(walk, position, &on, pick) {
            let ty = self
                .field_type(interface, pick)
                .expect("an interface is chosen for its field");
            return add(Some(interface), ty);
        }
        let mut locals: Vec<TypeIx> = on.iter().filter_map(|t| position.cover.get(t)).collect();
        locals.dedup();
        for local in locals {
            if let Some(field) = self.model.sub_field(self.sub, local, &pick.key.name) {
                add(Some(local), field.ty.clone());
            }
        }
    }

    fn field_type(&self, declared: TypeIx, pick: &Pick) -> Option<Type> {
        let field = self.model.sub_field(self.sub, declared, &pick.key.name)?;
        Some(field.ty.clone())
    }

    fn direct(&self, walk: &Walk<'_>, declared: TypeIx, cover: &Types, on: &Types) -> bool {
        let object = self.model.ty(declared).kind == Kind::Object;
        let interface_object = self
            .model
            .sub(self.sub, declared)
            .is_some_and(|s| s.interface_object);
        object || interface_object || walk.graph.model.visible(cover).is_subset(on)
    }

    /// An interface that stands for exactly these runtime types.
    fn interface_for(
        &self,
        walk: &Walk<'_>,
        position: &Position<'_>,
        on: &Types,
        pick: &Pick,
    ) -> Option<TypeIx> {
        if on.len() < 2 {
            return None;
        }
        let cover = position.cover.types();
        self.interfaces.iter().copied().find(|interface| {
            let stands = walk.graph.cover(self.sub, *interface);
            let name = &pick.key.name;
            let filled = |t| {
                let local = position.cover.get(t);
                let field = local.and_then(|local| self.model.sub_field(self.sub, local, name));
                field.is_some_and(|field| !field.context.is_empty())
            };
            let has = walk
                .graph
                .resolves(self.sub, *interface, Overlay::default(), *interface, name);
            has.is_some() && stands.types().and(cover) == *on && !on.iter().any(filled)
        })
    }

    fn assign_aliases(&self, items: &mut [Item]) {
        let mut used: HashSet<Rc<str>> = items.iter().map(|i| i.slot.clone()).collect();
        let mut given: HashMap<Rc<str>, Vec<Variant>> = HashMap::new();
        for item in items {
            let variants = given.entry(item.slot.clone()).or_default();
            let same = variants
                .iter()
                .find(|(key, ty, _)| *key == item.key && self.alike(ty, &item.ty));
            let same = same.map(|(_, _, alias)| alias.clone());
            item.alias = match &same {
                Some(alias) => alias.clone(),
                None if variants.is_empty() => item.slot.clone(),
                None => free_name(&item.slot, &mut used),
            };
            if same.is_none() {
                variants.push((item.key.clone(), item.ty.clone(), item.alias.clone()));
            }
        }
    }

    /// Whether two types are one response shape.
    fn alike(&self, a: &Type, b: &Type) -> bool {
        match (a, b) {
            (Type::Named(a), Type::Named(b)) | (Type::NonNullNamed(a), Type::NonNullNamed(b)) => {
                let composite = |n| self.model.named(n).is_some_and(|t| self.model.is_composite(t));
                a == b || (composite(a) && composite(b))
            }
            (Type::List(a), Type::List(b)) | (Type::NonNullList(a), Type::NonNullList(b)) => self.alike(a, b),
            _ => false,
        }
    }
}

/// What comes next may be a name.
fn separate(text: &mut String) {
    if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        text.push(' ');
    }
}

fn free_name(slot: &str, used: &mut HashSet<Rc<str>>) -> Rc<str> {
    let name: Rc<str> = (1..)
        .map(|n| format!("{slot}_{n}"))
        .find(|n| !used.contains(n.as_str()))
        .expect("some number is free")
        .into();
    used.insert(name.clone());
    name
}

/// A level in the making: its fields, and the text and shapes of what is below them.
#[derive(Default)]
struct Level {
    items: Vec<Item>,
    below: HashMap<PosId, String>,
    shapes: HashMap<Rc<str>, Shape>,
    shape: Noted,
}

/// A shape in the making: each response key once.
#[derive(Default)]
struct Noted {
    shape: Shape,
    keys: HashSet<Rc<str>>,
}

impl Noted {
    fn note(&mut self, key: &Rc<str>, keep: impl FnOnce() -> Keep) {
        if self.keys.insert(key.clone()) {
            self.shape.fields.push(ShapeField {
                response_key: (**key).into(),
                keep: keep(),
            });
        }
    }
}
