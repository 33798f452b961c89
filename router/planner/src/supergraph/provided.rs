//! join v0.1 names only the fields a subgraph resolves. What its `@provides` select, it knows too: as external.
//! <https://specs.apollo.dev/join/v0.1/>
use super::field_set::FieldSet;
use super::model::{SubField, SubId, TypeDef};
use super::types::{TypeIx, Types};

type ByName = hashbrown::HashMap<apollo_compiler::Name, TypeIx>;

/// Adds provided fields to the subgraphs that provide them.
pub(super) fn make_known(types: &mut [TypeDef], by_name: &ByName) {
    let mut provided: Vec<(SubId, TypeIx, FieldSet)> = Vec::new();
    for ty in types.iter() {
        for (s, sub) in (0..).map(SubId).zip(&ty.subs) {
            let fields = sub.iter().flat_map(|sub| sub.fields.values());
            let inner = |f: &SubField| by_name.get(f.ty.inner_named_type()).copied();
            provided.extend(fields.filter_map(|f| Some((s, inner(f)?, f.provides.clone()?))));
        }
    }
    while let Some((s, declared, set)) = provided.pop() {
        let possible = types[declared.0 as usize].possible.clone();
        for item in set.0 {
            let on = item
                .on
                .as_ref()
                .map_or_else(|| possible.clone(), |on| possible.and(on));
            for below in add(types, by_name, s, &on, &item.name) {
                provided.push((s, below, item.sub.clone()));
            }
        }
    }
}

/// Makes a field known on object types; gives the types of its values.
fn add(types: &mut [TypeDef], by_name: &ByName, s: SubId, on: &Types, name: &str) -> Vec<TypeIx> {
    let mut below = Vec::new();
    for t in on.iter() {
        let def = &mut types[t.0 as usize];
        let Some((name, field)) = def.fields.get_key_value(name) else {
            continue;
        };
        below.extend(by_name.get(field.ty.inner_named_type()).copied());
        let Some(sub) = &mut def.subs[s.ix()] else {
            continue;
        };
        let external = || SubField {
            ty: field.ty.clone(),
            external: true,
            requires: None,
            provides: None,
            lost_when: None,
            won_when: None,
            context: Vec::new(),
        };
        sub.fields.entry(name.clone()).or_insert_with(external);
    }
    below.dedup();
    below
}
