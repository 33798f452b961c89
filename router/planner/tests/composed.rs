//! Whatever composes is read: every supergraph of the composition's own cases, and each variant of it by contract.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use baedal_composition::contract::{Contract, apply};
use baedal_composition::{Subgraph, compose};
use baedal_planner::Supergraph;

/// The subgraphs of each case, with the case's name.
fn cases() -> Vec<(String, Vec<Subgraph>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../composition/tests/cases");
    let folders = std::fs::read_dir(root)
        .expect("readable")
        .map(|entry| entry.expect("readable").path());
    let read = |folder: PathBuf| {
        let files = std::fs::read_dir(&folder)
            .expect("readable")
            .map(|entry| entry.expect("readable").path());
        let subgraphs = files.map(|file| Subgraph {
            name: file.file_stem().expect("readable").to_string_lossy().into_owned(),
            url: format!(
                "http://{}/",
                file.file_stem().expect("readable").to_string_lossy()
            ),
            sdl: std::fs::read_to_string(file).expect("readable"),
        });
        (folder.display().to_string(), subgraphs.collect())
    };
    folders.map(read).collect()
}

/// Every element that is not hidden, nor of a hidden type, nor machinery.
fn visible(schema: &Schema) -> BTreeSet<String> {
    let hidden = |name: &str| {
        schema
            .types
            .get(name)
            .is_some_and(|ty| ty.directives().has("inaccessible"))
    };
    let mut all = BTreeSet::new();
    for (name, ty) in &schema.types {
        if ty.is_built_in() || name.contains("__") || hidden(name) {
            continue;
        }
        all.insert(name.to_string());
        let fields = match ty {
            ExtendedType::Object(ty) => &ty.fields,
            ExtendedType::Interface(ty) => &ty.fields,
            ExtendedType::Enum(ty) => {
                let shown = ty
                    .values
                    .iter()
                    .filter(|(_, value)| !value.directives.has("inaccessible"));
                all.extend(shown.map(|(value, _)| format!("{name}.{value}")));
                continue;
            }
            ExtendedType::InputObject(ty) => {
                let shown = ty.fields.iter().filter(|(_, field)| {
                    !field.directives.has("inaccessible") && !hidden(field.ty.inner_named_type())
                });
                all.extend(shown.map(|(field, input)| format!("{name}.{field}: {}", input.ty)));
                continue;
            }
            ExtendedType::Union(_) | ExtendedType::Scalar(_) => continue,
        };
        for (field, definition) in fields {
            if definition.directives.has("inaccessible") || hidden(definition.ty.inner_named_type()) {
                continue;
            }
            all.insert(format!("{name}.{field}: {}", definition.ty));
            let args = definition
                .arguments
                .iter()
                .filter(|arg| !arg.directives.has("inaccessible") && !hidden(arg.ty.inner_named_type()));
            all.extend(args.map(|arg| format!("{name}.{field}({}: {})", arg.name, arg.ty)));
        }
    }
    all
}

/// Reads a supergraph and compares its public schema with what the supergraph does not hide.
fn check(case: &str, sdl: &str) -> Supergraph {
    let read = Supergraph::parse(sdl).unwrap_or_else(|error| panic!("{case}: {error}"));
    let supergraph = Schema::parse(sdl, "supergraph.graphql").expect("readable");
    assert_eq!(visible(read.api_schema()), visible(&supergraph), "{case}");
    read
}

#[test]
fn every_composed_supergraph_is_read_as_it_was_composed() {
    let (mut composed, mut variants) = (0, 0);
    for (case, subgraphs) in cases() {
        let Ok(supergraph) = compose(&subgraphs) else {
            continue;
        };
        let read = check(&case, &supergraph.supergraph_sdl);
        let own = |subgraph: &Subgraph| (subgraph.name.clone(), subgraph.url.clone());
        let given: BTreeSet<_> = subgraphs.iter().map(own).collect();
        let told = read
            .subgraphs()
            .iter()
            .map(|each| (each.name.clone(), each.url.clone()));
        assert_eq!(told.collect::<BTreeSet<_>>(), given, "{case}");
        composed += 1;
        for tag in ["internal", "public", "a", "x"] {
            let contract = Contract {
                exclude: [tag.to_owned()].into(),
                ..Contract::default()
            };
            let Ok(variant) = apply(&supergraph.supergraph_sdl, &contract) else {
                continue;
            };
            let variant = check(&case, &variant.supergraph_sdl);
            assert!(
                visible(variant.api_schema()).is_subset(&visible(read.api_schema())),
                "{case}"
            );
            variants += 1;
        }
    }
    assert!(composed > 60 && variants > 240, "{composed} {variants}");
}
