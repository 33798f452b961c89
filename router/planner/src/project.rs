//! The client's answer: its selection in its order, per runtime type.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use hashbrown::HashMap;

use crate::normalize::{FieldUse, Selected, SelectedField, Selection, Spread};
use crate::plan::{
    self, FieldType, Named, ProjectedField, Projection, Slot, Source, TypeId, TypeSet, Wrapping,
};
use crate::supergraph::model::{Kind, Model};
use crate::supergraph::types::{TypeIx, Types};
use crate::walk::Walk;

/// Slot and type names of a plan.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    pub slots: Vec<Box<str>>,
    slot_ids: HashMap<Box<str>, Slot>,
    pub types: Vec<Box<str>>,
    type_ids: HashMap<TypeIx, TypeId>,
}

impl Interner {
    pub fn slot(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.slot_ids.get(name) {
            return *slot;
        }
        let slot = Slot(self.slots.len() as u32);
        self.slots.push(name.into());
        self.slot_ids.insert(name.into(), slot);
        slot
    }

    pub fn ty(&mut self, model: &Model, t: TypeIx) -> TypeId {
        *self.type_ids.entry(t).or_insert_with(|| {
            self.types.push(model.ty(t).name.as_str().into());
            TypeId(self.types.len() as u32 - 1)
        })
    }

    pub fn types(&mut self, model: &Model, types: &Types) -> TypeSet {
        let mut ids: TypeSet = types.iter().map(|t| self.ty(model, t)).collect();
        ids.sort_unstable();
        ids
    }
}

/// Builds the projection of the root selection.
pub(crate) fn project(
    walk: &Walk<'_>,
    root: TypeIx,
    selection: &Selection,
    names: &mut Interner,
) -> Projection {
    let mut projector = Projector {
        walk,
        model: walk.graph.model,
        names,
    };
    projector.place(root, &Types::one(root), selection)
}

struct Projector<'a, 'w> {
    walk: &'a Walk<'w>,
    model: &'a Model,
    names: &'a mut Interner,
}

impl Projector<'_, '_> {
    fn place(&mut self, declared: TypeIx, possible: &Types, selection: &Selection) -> Projection {
        let mut fields = Vec::with_capacity(selection.fields.len());
        for field in &selection.fields {
            let lost = self.walk.lost(field).cloned().unwrap_or_default();
            let kept = field.on.minus(&lost);
            for (on, nullable) in [(kept, false), (field.on.and(&lost), true)] {
                if !on.is_empty() {
                    fields.push(self.field(declared, possible, field, &on, nullable));
                }
            }
        }
        let spread = |spread: &Spread| plan::Spread {
            fragment: spread.fragment,
            on: (!possible.is_subset(&spread.on)).then(|| self.names.types(self.model, &spread.on)),
        };
        let spreads = selection.spreads.iter().map(spread).collect();
        Projection { fields, spreads }
    }

    fn field(
        &mut self,
        declared: TypeIx,
        possible: &Types,
        field: &SelectedField,
        on: &Types,
        nullable: bool,
    ) -> ProjectedField {
        let source = match &field.what {
            Selected::Typename => Source::Typename(self.certain_name(declared)),
            Selected::Given => Source::Given,
            Selected::Withheld(used) => Source::Withheld(wrapping(&used.ty)),
            Selected::Field(used) => {
                let slot = self.names.slot(&field.response_key);
                let mut ty = self.field_type(used);
                ty.wrapping.nullable |= nullable;
                Source::Field(slot, ty)
            }
        };
        let any = self.model.ty(declared).kind == Kind::Object || possible.is_subset(on);
        let on = (!any).then(|| self.names.types(self.model, on));
        ProjectedField {
            response_key: field.response_key.as_str().into(),
            on,
            source,
            deferral: field.deferral.clone(),
        }
    }

    fn certain_name(&self, declared: TypeIx) -> Option<Box<str>> {
        let def = self.model.ty(declared);
        (def.kind == Kind::Object).then(|| def.name.as_str().into())
    }

    fn field_type(&mut self, used: &FieldUse) -> FieldType {
        FieldType {
            wrapping: wrapping(&used.ty),
            named: self.named(used),
        }
    }

    fn named(&mut self, used: &FieldUse) -> Named {
        match used.ty.inner_named_type().as_str() {
            "Int" => return Named::Int,
            "Float" => return Named::Float,
            "String" => return Named::String,
            "Boolean" => return Named::Boolean,
            "ID" => return Named::Id,
            _ => {}
        }
        let Some(inner) = self.model.inner(&used.ty) else {
            return Named::Scalar;
        };
        let def = self.model.ty(inner);
        match def.kind {
            Kind::Enum => {
                let texts = |names: &[Name]| names.iter().map(|v| v.as_str().into()).collect();
                Named::Enum {
                    values: texts(&def.values),
                    hidden: texts(&def.hidden_values),
                }
            }
            Kind::Scalar | Kind::Input => Named::Scalar,
            Kind::Object | Kind::Interface | Kind::Union => {
                let visible = self.model.visible(&def.possible);
                let certain = (def.kind == Kind::Object).then(|| self.names.ty(self.model, inner));
                let projection = self.place(inner, &visible, &used.sub);
                let possible = self.names.types(self.model, &visible);
                // Hidden types are known by name: an object of one is null, not a subgraph's mistake.
                self.names.types(self.model, &def.possible);
                Named::Object {
                    certain,
                    possible,
                    projection,
                }
            }
        }
    }
}

fn wrapping(ty: &Type) -> Wrapping {
    match ty {
        Type::Named(_) => Wrapping {
            nullable: true,
            item: None,
        },
        Type::NonNullNamed(_) => Wrapping {
            nullable: false,
            item: None,
        },
        Type::List(item) => Wrapping {
            nullable: true,
            item: Some(Box::new(wrapping(item))),
        },
        Type::NonNullList(item) => Wrapping {
            nullable: false,
            item: Some(Box::new(wrapping(item))),
        },
    }
}
