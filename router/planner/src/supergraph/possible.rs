//! Which object types an interface or union stands for: in the supergraph, and in each subgraph.
use std::collections::{BTreeSet, HashSet};

use apollo_compiler::ast::Directive;
use apollo_compiler::schema::{DirectiveList, ExtendedType};
use apollo_compiler::{Name, Schema};
use hashbrown::HashMap;

use super::model::SubId;
use super::read::{Reader, flag, string};
use super::types::{TypeIx, Types};

/// In the supergraph, by type.
pub(super) fn possible_types(
    schema: &Schema,
    names: &[&Name],
    by_name: &HashMap<Name, TypeIx>,
) -> Vec<Types> {
    let mut sets: Vec<BTreeSet<TypeIx>> = vec![BTreeSet::new(); names.len()];
    for (ix, name) in names.iter().enumerate() {
        let me = TypeIx(ix as u32);
        match &schema.types[*name] {
            ExtendedType::Object(def) => {
                sets[ix].insert(me);
                for interface in def
                    .implements_interfaces
                    .iter()
                    .filter_map(|i| by_name.get(&i.name))
                {
                    sets[interface.0 as usize].insert(me);
                }
            }
            ExtendedType::Union(def) => {
                sets[ix].extend(def.members.iter().filter_map(|m| by_name.get(&m.name)))
            }
            _ => {}
        }
    }
    for (ix, name) in names.iter().enumerate() {
        // An interface object can be read also where nothing implements its interface: it stands for itself.
        if sets[ix].is_empty() && matches!(&schema.types[*name], ExtendedType::Interface(_)) {
            sets[ix].insert(TypeIx(ix as u32));
        }
    }
    sets.into_iter().map(|set| set.into_iter().collect()).collect()
}

/// Objects and interfaces that implement each interface.
pub(super) fn implementers(schema: &Schema, names: &[&Name]) -> HashMap<Name, Vec<TypeIx>> {
    let mut found: HashMap<Name, Vec<TypeIx>> = HashMap::new();
    for (ix, name) in names.iter().enumerate() {
        let interfaces = match &schema.types[*name] {
            ExtendedType::Object(def) => &def.implements_interfaces,
            ExtendedType::Interface(def) => &def.implements_interfaces,
            _ => continue,
        };
        for interface in interfaces {
            found
                .entry(interface.name.clone())
                .or_default()
                .push(TypeIx(ix as u32));
        }
    }
    found
}

impl Reader<'_> {
    /// In one subgraph.
    pub(super) fn possible_in(
        &self,
        s: SubId,
        ix: TypeIx,
        def: &ExtendedType,
        interface_object: bool,
    ) -> Types {
        if interface_object || *self.possible(ix) == Types::one(ix) {
            return Types::one(ix);
        }
        match def {
            ExtendedType::Object(_) => Types::one(ix),
            ExtendedType::Union(def) => {
                let directive = self.join("unionMember");
                let listed = def.directives.get(&directive).is_some();
                let here: HashSet<String> = def
                    .directives
                    .get_all(&directive)
                    .filter(|d| self.graph(d) == Some(s))
                    .filter_map(|d| string(d, "member"))
                    .collect();
                let knows = |name: &Name| {
                    if listed {
                        here.contains(name.as_str())
                    } else {
                        self.is_in(s, name)
                    }
                };
                def.members
                    .iter()
                    .filter(|m| knows(&m.name))
                    .filter_map(|m| self.by_name.get(&m.name).copied())
                    .collect()
            }
            ExtendedType::Interface(def) => self.implementers_in(s, &def.name),
            _ => Types::default(),
        }
    }

    /// Objects (and interface objects) that implement the interface in the subgraph.
    fn implementers_in(&self, s: SubId, interface: &Name) -> Types {
        let candidates = self.implementers.get(interface).into_iter().flatten();
        candidates
            .copied()
            .filter(|ix| self.implements_in(s, *ix, interface))
            .collect()
    }

    fn implements_in(&self, s: SubId, ix: TypeIx, interface: &Name) -> bool {
        let name = &self.names[ix.0 as usize];
        let ty = &self.schema.types[name];
        if (ty.is_interface() && !self.is_interface_object(s, ty.directives())) || !self.is_in(s, name) {
            return false;
        }
        let directive = self.join("implements");
        let says = |d: &Directive| {
            self.graph(d) == Some(s) && string(d, "interface").as_deref() == Some(interface.as_str())
        };
        let mut listed = ty.directives().get_all(&directive).peekable();
        listed.peek().is_none() || listed.any(|d| says(d))
    }

    fn is_interface_object(&self, s: SubId, directives: &DirectiveList) -> bool {
        let join_type = self.join("type");
        directives
            .get_all(&join_type)
            .any(|d| self.graph(d) == Some(s) && flag(d, "isInterfaceObject", false))
    }

    fn is_in(&self, s: SubId, name: &Name) -> bool {
        let directives = self.schema.types[name].directives();
        let (join_type, owner) = (self.join("type"), self.join("owner"));
        let mut listed = directives
            .iter()
            .filter(|d| d.name.as_str() == join_type || d.name.as_str() == owner)
            .peekable();
        listed.peek().is_none() || listed.any(|d| self.graph(d) == Some(s))
    }
}
