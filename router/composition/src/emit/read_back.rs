//! What is printed says what was merged: every supergraph of the cases is read again and compared, element by element.

use apollo_compiler::ast::{Directive, DirectiveList, InputValueDefinition, Value};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Node, Schema};
use std::collections::BTreeSet;

use crate::Subgraph;
use crate::merge::merged::{JoinField, MField, MInput, MType, Merged};

/// The merged schemas of all cases that merge.
fn all_merged() -> Vec<(String, Merged)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    for case in std::fs::read_dir(root).expect("the cases").flatten() {
        let read = |file: std::fs::DirEntry| Subgraph {
            name: file
                .path()
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            url: "http://host/\"path\"?a=b".to_owned(),
            sdl: std::fs::read_to_string(file.path()).expect("SDL"),
        };
        let files = std::fs::read_dir(case.path()).expect("a case").flatten();
        let subgraphs: Vec<Subgraph> = files.map(read).collect();
        if crate::compose(&subgraphs).is_ok() {
            let mut sorted: Vec<&Subgraph> = subgraphs.iter().collect();
            sorted.sort_by(|a, b| a.name.cmp(&b.name));
            let models = crate::ingest::ingest_all(&sorted).models;
            let name = case.file_name().to_string_lossy().into_owned();
            found.push((name, crate::merge::merge(&models).merged));
        }
    }
    found
}

#[test]
fn reading_back_gives_what_was_merged() {
    let all = all_merged();
    assert!(all.len() > 60);
    for (case, merged) in all {
        let sdl = super::emit(&merged);
        let schema = Schema::parse_and_validate(&sdl, "supergraph.graphql").expect("a valid supergraph");
        let reader = Reader {
            case: &case,
            merged: &merged,
        };
        let machinery = |name: &str| name.contains("__") || name.starts_with("__");
        let read: BTreeSet<&str> = schema
            .types
            .iter()
            .filter(|(name, ty)| !ty.is_built_in() && !machinery(name))
            .map(|(name, _)| name.as_str())
            .collect();
        let wanted: BTreeSet<&str> = merged
            .types
            .keys()
            .map(|name| name.as_str())
            .filter(|name| !crate::model::is_builtin_scalar(name))
            .collect();
        assert_eq!(read, wanted, "{case}");
        for name in wanted {
            reader.ty(&schema.types[name], &merged.types[name]);
        }
        let graphs = &schema.get_enum("join__Graph").expect("the graphs").values;
        for graph in &merged.graphs {
            let join = graphs[graph.id.as_str()]
                .directives
                .get("join__graph")
                .expect("a graph");
            assert_eq!(text(join, "name"), Some(graph.name.as_str()), "{case}");
            assert_eq!(text(join, "url"), Some(graph.url.as_str()), "{case}");
        }
    }
}

fn text<'d>(directive: &'d Directive, argument: &str) -> Option<&'d str> {
    directive
        .specified_argument_by_name(argument)
        .and_then(|value| value.as_str())
}

fn flag(directive: &Directive, argument: &str) -> bool {
    let value = directive.specified_argument_by_name(argument);
    value.and_then(|value| value.to_bool()).unwrap_or_default()
}

struct Reader<'a> {
    case: &'a str,
    merged: &'a Merged,
}

impl Reader<'_> {
    fn graph(&self, directive: &Directive) -> Option<usize> {
        let id = directive
            .specified_argument_by_name("graph")?
            .as_enum()?
            .to_string();
        self.merged.graphs.iter().position(|graph| graph.id == id)
    }

    fn ty(&self, read: &ExtendedType, wanted: &MType) {
        let at = format!("{}: {}", self.case, wanted.name);
        let directives = || read.directives().iter().map(|component| &component.node);
        let joins: Vec<_> = directives()
            .filter(|directive| directive.name == "join__type")
            .map(|join| {
                let resolvable = join
                    .specified_argument_by_name("resolvable")
                    .and_then(|value| value.to_bool());
                (
                    self.graph(join),
                    text(join, "key").map(str::to_owned),
                    flag(join, "extension"),
                    resolvable != Some(false),
                    flag(join, "isInterfaceObject"),
                )
            })
            .collect();
        let expected = wanted.joins.iter().map(|join| {
            let key = join.key.as_ref().map(|key| key.raw.clone());
            let resolvable = join.resolvable != Some(false);
            (
                Some(join.graph),
                key,
                join.extension,
                resolvable,
                join.interface_object,
            )
        });
        assert_eq!(joins, expected.collect::<Vec<_>>(), "{at}");
        assert_eq!(
            read.description().map(|text| text.as_str()),
            wanted.description.as_deref(),
            "{at}"
        );
        match read {
            ExtendedType::Object(ty) => self.fields(&at, ty.fields.iter().map(|(n, f)| (n, &f.node)), wanted),
            ExtendedType::Interface(ty) => {
                self.fields(&at, ty.fields.iter().map(|(n, f)| (n, &f.node)), wanted)
            }
            ExtendedType::InputObject(ty) => {
                assert_eq!(ty.fields.len(), wanted.inputs.len(), "{at}");
                for (name, field) in &ty.fields {
                    self.input(&format!("{at}.{name}"), field, &wanted.inputs[name]);
                }
            }
            ExtendedType::Enum(ty) => {
                let read: Vec<&Name> = ty.values.keys().collect();
                assert_eq!(read, wanted.values.keys().collect::<Vec<_>>(), "{at}");
            }
            ExtendedType::Union(ty) => {
                let read: Vec<&Name> = ty.members.iter().map(|member| &member.name).collect();
                assert_eq!(read, wanted.members.iter().collect::<Vec<_>>(), "{at}");
            }
            ExtendedType::Scalar(_) => {}
        }
    }

    fn fields<'f>(
        &self,
        at: &str,
        fields: impl Iterator<Item = (&'f Name, &'f Node<FieldDefinition>)>,
        wanted: &MType,
    ) {
        let fields: Vec<_> = fields.collect();
        assert_eq!(fields.len(), wanted.fields.len(), "{at}");
        for (name, field) in fields {
            self.field(&format!("{at}.{name}"), field, &wanted.fields[name]);
        }
    }

    fn field(&self, at: &str, read: &FieldDefinition, wanted: &MField) {
        assert_eq!(read.ty, wanted.ty, "{at}");
        assert_eq!(read.description.as_deref(), wanted.description.as_deref(), "{at}");
        assert_eq!(read.arguments.len(), wanted.args.len(), "{at}");
        for arg in &read.arguments {
            self.input(&format!("{at}({}:)", arg.name), arg, &wanted.args[&arg.name]);
        }
        self.joins(at, &read.directives, &wanted.joins);
    }

    fn input(&self, at: &str, read: &InputValueDefinition, wanted: &MInput) {
        assert_eq!(*read.ty, wanted.ty, "{at}");
        assert_eq!(read.default_value, wanted.default, "{at}");
        assert_eq!(
            read.directives.has("inaccessible"),
            wanted.marks.inaccessible,
            "{at}"
        );
        self.joins(at, &read.directives, &wanted.joins);
    }

    fn joins(&self, at: &str, directives: &DirectiveList, wanted: &[JoinField]) {
        let read: Vec<_> = directives.get_all("join__field").collect();
        assert_eq!(read.len(), wanted.len(), "{at}");
        for (join, wanted) in read.into_iter().zip(wanted) {
            let raw = |set: &Option<crate::fieldset::FieldSet>| set.as_ref().map(|set| set.raw.clone());
            let owned = |argument: &str| text(join, argument).map(str::to_owned);
            assert_eq!(self.graph(join), wanted.graph, "{at}");
            assert_eq!(owned("requires"), raw(&wanted.requires), "{at}");
            assert_eq!(owned("provides"), raw(&wanted.provides), "{at}");
            assert_eq!(owned("type"), wanted.ty.as_ref().map(ToString::to_string), "{at}");
            assert_eq!(owned("override"), wanted.overrides, "{at}");
            assert_eq!(owned("overrideLabel"), wanted.label, "{at}");
            assert_eq!(flag(join, "external"), wanted.external, "{at}");
            assert_eq!(flag(join, "usedOverridden"), wanted.used_overridden, "{at}");
            let contextual = join.specified_argument_by_name("contextArguments");
            let given = contextual.and_then(|value| value.as_list()).unwrap_or_default();
            assert_eq!(given.len(), wanted.context_args.len(), "{at}");
            for (given, wanted) in given.iter().zip(&wanted.context_args) {
                let Value::Object(entries) = &**given else {
                    panic!("{at}: {given}")
                };
                let entry = |key: &str| {
                    entries
                        .iter()
                        .find(|(name, _)| name == key)
                        .and_then(|(_, value)| value.as_str())
                };
                assert_eq!(entry("context"), Some(wanted.context.as_str()), "{at}");
                assert_eq!(entry("name"), Some(wanted.name.as_str()), "{at}");
                assert_eq!(entry("type"), Some(wanted.ty.as_str()), "{at}");
                assert_eq!(entry("selection"), Some(wanted.selection.as_str()), "{at}");
            }
        }
    }
}
