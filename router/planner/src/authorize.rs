//! Takes what the caller may not see out of the operation: `@authenticated`, `@requiresScopes`, `@policy`.
//! A pure function; what it removes is never fetched.
use crate::normalize::{FieldUse, Selected, SelectedField, Selection};
use crate::plan::PlannedError;
use crate::settings::Access;
use crate::supergraph::model::Model;
use crate::supergraph::rights::Rights;
use crate::supergraph::types::{TypeIx, Types};

/// Marks forbidden fields as withheld; gives an error for each.
pub(crate) fn authorize(
    model: &Model,
    access: &Access,
    selection: Selection,
) -> (Selection, Vec<PlannedError>) {
    if access.is_unrestricted() {
        return (selection, Vec::new());
    }
    let mut pass = Pass {
        model,
        access,
        errors: Vec::new(),
        path: Vec::new(),
    };
    let selection = pass.place(selection);
    (selection, pass.errors)
}

struct Pass<'a> {
    model: &'a Model,
    access: &'a Access,
    errors: Vec<PlannedError>,
    path: Vec<Box<str>>,
}

impl Pass<'_> {
    fn place(&mut self, selection: Selection) -> Selection {
        let mut fields = Vec::with_capacity(selection.fields.len());
        for field in selection.fields {
            self.path.push(field.response_key.as_str().into());
            self.field(field, &mut fields);
            self.path.pop();
        }
        let spreads = selection.spreads;
        Selection { fields, spreads }
    }

    fn field(&mut self, field: SelectedField, out: &mut Vec<SelectedField>) {
        let Selected::Field(mut used) = field.what else {
            return out.push(field);
        };
        let allowed: Types = field.on.iter().filter(|t| self.allows(*t, &used)).collect();
        let refused = field.on.minus(&allowed);
        let (key, conditional, deferral) = (field.response_key, field.conditional, field.deferral);
        if !refused.is_empty() {
            self.refuse(&used, &refused);
            let mut removed = used.clone();
            removed.sub = Selection::default();
            out.push(SelectedField {
                response_key: key.clone(),
                on: refused,
                conditional,
                deferral: deferral.clone(),
                what: Selected::Withheld(removed),
            });
        }
        if !allowed.is_empty() {
            used.sub = self.place(used.sub);
            out.push(SelectedField {
                response_key: key,
                on: allowed,
                conditional,
                deferral,
                what: Selected::Field(used),
            });
        }
    }

    fn refuse(&mut self, used: &FieldUse, on: &Types) {
        let owner = on
            .first()
            .map(|t| self.model.ty(t).name.as_str())
            .unwrap_or_default();
        self.errors.push(PlannedError {
            message: format!("You are not allowed to read {owner}.{}", used.name).into(),
            code: "UNAUTHORIZED_FIELD_OR_TYPE".into(),
            path: self.path.clone(),
        });
    }

    fn allows(&self, t: TypeIx, used: &FieldUse) -> bool {
        let owner = self.model.ty(t);
        let field = owner.fields.get(&used.name).is_none_or(|f| self.holds(&f.rights));
        let named = self
            .model
            .inner(&used.ty)
            .is_none_or(|inner| self.holds(&self.model.ty(inner).rights));
        field && named && self.holds(&owner.rights)
    }

    fn holds(&self, rights: &Rights) -> bool {
        if rights.none() {
            return true;
        }
        let any = |sets: &[Vec<String>], held: &std::collections::BTreeSet<String>| {
            sets.is_empty() || sets.iter().any(|set| set.iter().all(|s| held.contains(s)))
        };
        (!rights.authenticated || self.access.authenticated)
            && any(&rights.scopes, &self.access.scopes)
            && any(&rights.policies, &self.access.policies)
    }
}
