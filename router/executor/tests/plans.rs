//! Plans from a few words.
//!
//! * Shape: `id name=slot reviews{__typename body}`.
//! * Projection: `id:ID! n:Int tags:[String!] me:User!{…} node:Node(User|Shop)!{__typename id?User:ID}`,
//!   `__typename=Query`, `__schema:given`, `secret:withheld`, `kind:enum(A|B-Hidden)`. `?A|B` after a key is its type condition.
//! * Representation fields: `id weight? dims{h w?} sku=slot`; a `?` for nullable.
//! * Path: `shops.owner|User|Shop`.
use baedal_planner::plan::*;

#[derive(Default)]
pub struct Builder {
    slots: Vec<Box<str>>,
    types: Vec<Box<str>>,
    fetches: Vec<Fetch>,
    pub errors: Vec<PlannedError>,
    kind: Option<OperationKind>,
}

struct Text<'t>(&'t str);

impl<'t> Text<'t> {
    fn skip(&mut self) {
        self.0 = self.0.trim_start();
    }
    fn eat(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
    fn word(&mut self) -> &'t str {
        let end = self
            .0
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        assert!(!word.is_empty(), "a word at {:?}", self.0);
        self.0 = rest;
        word
    }
    fn words(&mut self) -> Vec<&'t str> {
        let mut words = vec![self.word()];
        while self.eat('|') {
            words.push(self.word());
        }
        words
    }
    fn done(&mut self) -> bool {
        self.skip();
        self.0.is_empty() || self.0.starts_with('}')
    }
}

impl Builder {
    pub fn new() -> Builder {
        Builder::default()
    }

    pub fn kind(mut self, kind: OperationKind) -> Builder {
        self.kind = Some(kind);
        self
    }

    /// Types the plan knows besides those its texts name.
    pub fn know(mut self, types: &str) -> Builder {
        types.split_whitespace().for_each(|name| _ = self.type_id(name));
        self
    }

    /// Interns slots, so that parts made with another builder fit.
    pub fn with_slots(mut self, names: &str) -> Builder {
        names.split_whitespace().for_each(|name| _ = self.slot(name));
        self
    }

    fn slot(&mut self, name: &str) -> Slot {
        let found = self
            .slots
            .iter()
            .position(|known| **known == *name)
            .unwrap_or_else(|| {
                self.slots.push(name.into());
                self.slots.len() - 1
            });
        Slot(found as u32)
    }

    fn type_id(&mut self, name: &str) -> TypeId {
        let found = self
            .types
            .iter()
            .position(|known| **known == *name)
            .unwrap_or_else(|| {
                self.types.push(name.into());
                self.types.len() - 1
            });
        TypeId(found as u32)
    }

    fn type_set(&mut self, names: &[&str]) -> TypeSet {
        let mut set: TypeSet = names.iter().map(|name| self.type_id(name)).collect();
        set.sort_unstable();
        set
    }

    pub fn shape(&mut self, text: &str) -> Shape {
        self.shape_of(&mut Text(text))
    }

    fn shape_of(&mut self, text: &mut Text<'_>) -> Shape {
        let mut fields = Vec::new();
        while !text.done() {
            let key = text.word();
            let slot = if text.eat('=') { text.word() } else { key };
            let keep = if key == "__typename" {
                Keep::Typename
            } else if text.eat('{') {
                let slot = self.slot(slot);
                let nested = self.shape_of(text);
                assert!(text.eat('}'));
                Keep::Object(slot, nested)
            } else {
                Keep::Leaf(self.slot(slot))
            };
            fields.push(ShapeField {
                response_key: key.into(),
                keep,
            });
        }
        Shape { fields }
    }

    fn projection_of(&mut self, text: &mut Text<'_>) -> Projection {
        let mut fields = Vec::new();
        while !text.done() {
            let key = text.word();
            let on = text
                .eat('?')
                .then(|| text.words())
                .map(|names| self.type_set(&names));
            let source = if key == "__typename" {
                Source::Typename(text.eat('=').then(|| text.word().into()))
            } else {
                assert!(text.eat(':'), "a type for {key}");
                self.source(key, text)
            };
            fields.push(ProjectedField {
                response_key: key.into(),
                on,
                source,
                deferral: None,
            });
        }
        let spreads = Vec::new();
        Projection { fields, spreads }
    }

    fn source(&mut self, key: &str, text: &mut Text<'_>) -> Source {
        if text.0.starts_with("given") {
            text.word();
            return Source::Given;
        }
        if text.0.starts_with("withheld") {
            text.word();
            return Source::Withheld(Wrapping {
                nullable: !text.eat('!'),
                item: None,
            });
        }
        let slot = self.slot(key);
        let mut named = None;
        let mut wrapping = self.wrapping(text, &mut named);
        let mut named = named.expect("a named type");
        self.selection(text, &mut named);
        wrapping.nullable &= !text.eat('!');
        Source::Field(slot, FieldType { wrapping, named })
    }

    /// `{…}` stands after the name or after all of the type.
    fn selection(&mut self, text: &mut Text<'_>, named: &mut Named) {
        if text.eat('{') {
            let Named::Object { projection, .. } = named else {
                panic!("fields of a leaf")
            };
            *projection = self.projection_of(text);
            assert!(text.eat('}'));
        }
    }

    fn wrapping(&mut self, text: &mut Text<'_>, named: &mut Option<Named>) -> Wrapping {
        let item = if text.eat('[') {
            let inner = self.wrapping(text, named);
            assert!(text.eat(']'));
            Some(Box::new(inner))
        } else {
            let mut found = self.named(text);
            self.selection(text, &mut found);
            *named = Some(found);
            None
        };
        Wrapping {
            nullable: !text.eat('!'),
            item,
        }
    }

    fn named(&mut self, text: &mut Text<'_>) -> Named {
        match text.word() {
            "Int" => Named::Int,
            "Float" => Named::Float,
            "String" => Named::String,
            "Boolean" => Named::Boolean,
            "ID" => Named::Id,
            "Any" => Named::Scalar,
            "enum" => {
                assert!(text.eat('('));
                let values = text.words().into_iter().map(Into::into).collect();
                let hidden = if text.eat('-') { text.words() } else { Vec::new() };
                assert!(text.eat(')'));
                Named::Enum {
                    values,
                    hidden: hidden.into_iter().map(Into::into).collect(),
                }
            }
            name => {
                let (certain, possible) = if text.eat('(') {
                    let set = text.words();
                    assert!(text.eat(')'));
                    (None, self.type_set(&set))
                } else {
                    let id = self.type_id(name);
                    (Some(id), vec![id])
                };
                Named::Object {
                    certain,
                    possible,
                    projection: Projection::default(),
                }
            }
        }
    }

    pub fn fields(&mut self, text: &str) -> Vec<RepresentationField> {
        self.fields_of(&mut Text(text))
    }

    fn fields_of(&mut self, text: &mut Text<'_>) -> Vec<RepresentationField> {
        let mut fields = Vec::new();
        while !text.done() {
            let name = text.word();
            let slot = if text.eat('=') { text.word() } else { name };
            let on = text
                .eat('|')
                .then(|| text.words())
                .map(|names| self.type_set(&names));
            let nullable = text.eat('?');
            let slot = self.slot(slot);
            let nested = text.eat('{').then(|| {
                let nested = self.fields_of(text);
                assert!(text.eat('}'));
                nested
            });
            fields.push(RepresentationField {
                name: name.into(),
                slot,
                on,
                fields: nested,
                nullable,
            });
        }
        fields
    }

    pub fn representation(&mut self, on: Option<&[&str]>, typename: &str, fields: &str) -> Representation {
        let on = on.map(|names| self.type_set(names));
        Representation {
            on,
            typename: typename.into(),
            fields: self.fields(fields),
        }
    }

    pub fn target(&mut self, path: &str, representations: Vec<Representation>) -> Target {
        let step = |step: &str| {
            let mut names = step.split('|');
            let slot = self.slot(names.next().expect("a slot"));
            let names: Vec<&str> = names.collect();
            PathStep {
                slot,
                on: (!names.is_empty()).then(|| self.type_set(&names)),
            }
        };
        Target {
            path: path.split('.').map(step).collect(),
            representations,
        }
    }

    fn fetch(&mut self, subgraph: &str, after: &[usize], entry: Entry) {
        let kind = if self.fetches.is_empty() || matches!(entry, Entry::Root(_)) {
            self.kind
        } else {
            None
        };
        self.fetches.push(Fetch {
            subgraph: subgraph.into(),
            after: after.to_vec(),
            kind: kind.unwrap_or(OperationKind::Query),
            query: "{\"q\"}".into(),
            operation_name: None,
            variables: Vec::new(),
            entry,
            fallback: None,
        });
    }

    pub fn root(mut self, subgraph: &str, after: &[usize], shape: &str) -> Builder {
        let shape = self.shape(shape);
        self.fetch(subgraph, after, Entry::Root(shape));
        self
    }

    /// An entity fetch with one group, whose targets share one representation: `(paths, typename, keys)`.
    pub fn entities(
        mut self,
        subgraph: &str,
        after: &[usize],
        of: (&str, &str, &str),
        shape: &str,
    ) -> Builder {
        let (paths, typename, keys) = of;
        let targets = paths.split_whitespace().map(|path| {
            let representation = self.representation(None, typename, keys);
            self.target(path, vec![representation])
        });
        let targets = targets.collect();
        let shape = self.shape(shape);
        let group = EntityGroup {
            response_key: "_entities".into(),
            variable: "r".into(),
            targets,
            shape,
            context: Vec::new(),
            known: Vec::new(),
        };
        self.groups(subgraph, after, vec![group])
    }

    pub fn groups(mut self, subgraph: &str, after: &[usize], groups: Vec<EntityGroup>) -> Builder {
        self.fetch(subgraph, after, Entry::Entities(groups));
        self
    }

    /// Gives the last fetch client variables.
    pub fn variables(mut self, names: &str) -> Builder {
        let fetch = self.fetches.last_mut().expect("a fetch");
        fetch.variables = names.split_whitespace().map(Into::into).collect();
        self
    }

    pub fn answer(mut self, projection: &str) -> Plan {
        let answer = self.projection_of(&mut Text(projection));
        Plan {
            kind: self.kind.unwrap_or(OperationKind::Query),
            slots: self.slots,
            types: self.types,
            fetches: self.fetches,
            answer,
            errors: self.errors,
            incremental: None,
        }
    }
}
