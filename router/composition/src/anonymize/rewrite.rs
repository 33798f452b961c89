//! One pass through a text.

use super::links::{Links, argument, is_machinery, is_ours};
use super::names::Namer;
use super::rules::{Rule, rule};
use super::tokens::{Kind, Token, content, quoted, tokens};

/// Where directives may stand.
/// <https://spec.graphql.org/September2025/#DirectiveLocation>
const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];
/// Where the addresses of subgraphs are.
const NOWHERE: &str = "http://subgraph.example/graphql";

/// The text as `namer` wishes.
pub fn rewrite<N: Namer>(text: &str, links: &Links, namer: &mut N) -> String {
    let all = tokens(text);
    let mut writer = Writer {
        tokens: &all,
        at: 0,
        links,
        namer,
        out: String::new(),
        lists: 0,
    };
    while writer.at < all.len() {
        writer.step();
    }
    writer.out
}

/// Names within a string.
fn names_in<N: Namer>(text: &str, links: &Links, namer: &mut N) -> String {
    rewrite(text, links, namer)
}

struct Writer<'a, N> {
    tokens: &'a [Token<'a>],
    at: usize,
    links: &'a Links,
    namer: &'a mut N,
    out: String,
    /// How many lists are open here.
    lists: usize,
}

impl<'a, N: Namer> Writer<'a, N> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn is_next(&self, sign: &str) -> bool {
        self.peek().is_some_and(|token| token.is(sign))
    }

    /// Writes this in place of the next token.
    fn put(&mut self, text: &str) {
        if let Some(token) = self.peek() {
            self.out.push_str(&token.space);
            self.out.push_str(text);
            self.at += 1;
        }
    }

    fn copy(&mut self) {
        if let Some(token) = self.peek() {
            self.put(token.text);
        }
    }

    fn step(&mut self) {
        let Some(token) = self.peek() else { return };
        match token.kind {
            Kind::Text => self.text_or_description(token),
            Kind::Name if is_definition(token.text) && self.defines_machinery() => self.machinery(),
            Kind::Name => self.name(token),
            Kind::Other => match token.text {
                "@" => self.directive(),
                "[" => {
                    self.lists += 1;
                    self.copy();
                }
                "]" => {
                    self.lists = self.lists.saturating_sub(1);
                    self.copy();
                }
                _ => self.copy(),
            },
        }
    }

    fn name(&mut self, token: &Token<'_>) {
        if is_machinery(token.text) {
            return self.copy();
        }
        let name = self.namer.name(token.text);
        self.put(&name);
    }

    /// A string that follows nothing that asks for a value is a description.
    fn text_or_description(&mut self, token: &Token<'_>) {
        let before = self.at.checked_sub(1).map(|at| &self.tokens[at]);
        let is_value = before.is_some_and(|before| before.is(":") || before.is("=")) || self.lists > 0;
        if is_value {
            return self.text(token, Rule::Text, None);
        }
        // What stands before it stays, if anything does: lines do not run into each other.
        if self.out.ends_with(|one: char| !one.is_whitespace()) {
            self.out.push_str(&token.space);
        }
        self.at += 1;
    }

    /// `input join__ContextArgument { … }`: the specifications' own, but for the enum of subgraphs.
    fn defines_machinery(&self) -> bool {
        let name = self.tokens.get(self.at + 1);
        name.is_some_and(|name| {
            name.kind == Kind::Name && is_machinery(name.text) && !name.text.ends_with("__Graph")
        })
    }

    fn machinery(&mut self) {
        self.copy();
        self.copy();
        if !self.is_next("{") {
            return;
        }
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Text => self.at += 1,
                _ => self.copy(),
            }
            if token.is("}") {
                return;
            }
        }
    }

    /// `@name(…)`, where it is applied or defined.
    fn directive(&mut self) {
        let is_definition = self.at > 0 && self.tokens[self.at - 1].text == "directive";
        self.copy();
        let Some(name) = self.peek().filter(|token| token.kind == Kind::Name) else {
            return;
        };
        let links = self.links;
        let canonical = links.canonical(name.text);
        match canonical {
            Some(canonical) => {
                let local = self.local(name.text, canonical);
                self.put(&local);
            }
            None => self.name(name),
        }
        if self.is_next("(") {
            self.arguments(canonical);
        }
        if is_definition {
            self.locations();
        }
    }

    /// A directive of the specifications under the name that the schema gives it.
    fn local(&mut self, name: &str, canonical: &str) -> String {
        if name == canonical || is_machinery(name) {
            return name.to_owned();
        }
        match name.split_once("__") {
            Some((prefix, rest)) if rest == canonical => format!("{}__{rest}", self.namer.name(prefix)),
            _ => self.namer.name(name),
        }
    }

    fn locations(&mut self) {
        while let Some(token) = self.peek() {
            let is_part = token.is("|") || ["on", "repeatable"].contains(&token.text);
            if !is_part && !LOCATIONS.contains(&token.text) {
                return;
            }
            self.copy();
        }
    }

    fn arguments(&mut self, canonical: Option<&str>) {
        let inside = &self.tokens[self.at..];
        let end = inside.iter().position(|token| token.is(")"));
        let inside = &inside[..end.unwrap_or(inside.len())];
        let url = argument(inside, "url");
        let of = match canonical {
            // It carries another directive.
            Some("join__directive") => argument(inside, "name"),
            other => other.map(str::to_owned),
        };
        self.copy();
        while let Some(token) = self.peek() {
            if token.is(")") {
                return self.copy();
            }
            let is_named = self.tokens.get(self.at + 1).is_some_and(|colon| colon.is(":"));
            if token.kind != Kind::Name || !is_named {
                self.step();
                continue;
            }
            match canonical {
                Some(_) => self.copy(),
                None => self.name(token),
            }
            self.copy();
            let rule = match (canonical, &of) {
                (Some("join__directive"), _) if token.text == "name" => Rule::Directive,
                (Some("join__directive"), Some(_)) if token.text == "args" => Rule::Text,
                (_, Some(directive)) => rule(directive, token.text),
                (_, None) => Rule::Text,
            };
            let carried = of.as_deref().filter(|_| canonical == Some("join__directive"));
            self.value(rule, canonical.is_some(), carried, url.as_deref());
        }
    }

    /// A value: of one of the specifications' directives, perhaps with the arguments of one that it carries.
    fn value(&mut self, rule: Rule, is_known: bool, carried: Option<&str>, url: Option<&str>) {
        let Some(token) = self.peek() else { return };
        match token.kind {
            Kind::Text => self.text(token, rule, url),
            Kind::Name if rule == Rule::Keep => self.copy(),
            Kind::Name => self.name(token),
            Kind::Other if token.text == "[" => {
                self.copy();
                while self.peek().is_some_and(|token| !token.is("]") && !token.is(")")) {
                    self.value(rule, is_known, carried, url);
                }
                self.copy_if("]");
            }
            Kind::Other if token.text == "{" => {
                self.copy();
                while let Some(key) = self.peek().filter(|token| !token.is("}") && !token.is(")")) {
                    self.member(key, rule, is_known, carried, url);
                }
                self.copy_if("}");
            }
            Kind::Other if token.text == "$" => {
                self.copy();
                if let Some(name) = self.peek().filter(|token| token.kind == Kind::Name) {
                    self.name(name);
                }
            }
            Kind::Other => self.copy(),
        }
    }

    fn member(
        &mut self,
        key: &Token<'_>,
        of: Rule,
        is_known: bool,
        carried: Option<&str>,
        url: Option<&str>,
    ) {
        match key.kind {
            Kind::Name if is_known => self.copy(),
            Kind::Name => self.name(key),
            _ => return self.copy(),
        }
        self.copy_if(":");
        let (of, url) = match (carried, key.text) {
            (Some(directive), argument) => (rule(directive, argument), url),
            // `{ name: "@key", as: "@id" }`
            (None, "name") if of == Rule::Names && url.is_some_and(is_ours) => (Rule::Keep, None),
            (None, "as") => (of, None),
            (None, _) => (of, url),
        };
        self.value(of, is_known, None, url);
    }

    fn copy_if(&mut self, sign: &str) {
        if self.is_next(sign) {
            self.copy();
        }
    }

    fn text(&mut self, token: &Token<'_>, rule: Rule, url: Option<&str>) {
        let said = content(token.text);
        let new = match rule {
            Rule::Keep => said,
            Rule::Directive if self.links.canonical(&said).is_some() => said,
            // What is imported from a specification.
            Rule::Names
                if url.is_some_and(is_ours)
                    && said.starts_with(|one: char| one == '@' || one.is_ascii_uppercase()) =>
            {
                said
            }
            Rule::Names | Rule::Directive => names_in(&said, self.links, self.namer),
            Rule::Subgraph => self.namer.subgraph(&said),
            Rule::Address => NOWHERE.to_owned(),
            Rule::Text => self.namer.text(&said),
            Rule::Label => self.label(&said),
            Rule::Format => self.format(&said),
            Rule::Url if is_ours(&said) => said,
            Rule::Url => self.url(&said),
        };
        self.put(&quoted(&new));
    }

    /// Signs stay: they decide whether it is a good one. `percent(5)` is the specification's.
    fn label(&mut self, said: &str) -> String {
        if said.starts_with("percent(") {
            return said.to_owned();
        }
        let is_sign =
            |one: &char| !one.is_ascii_alphanumeric() && !matches!(one, '_' | '-' | '/' | ':' | '.');
        let signs: String = said.chars().filter(is_sign).collect();
        self.namer.text(said) + &signs
    }

    /// `product-{$key.id}`: holes name fields and arguments.
    fn format(&mut self, said: &str) -> String {
        let (mut out, mut rest) = (String::new(), said);
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}').unwrap_or((after, ""));
            let hole = hole.split('.').map(|part| match part.trim() {
                kept @ ("$key" | "$args") => kept.to_owned(),
                name => names_in(name, self.links, self.namer),
            });
            let hole: Vec<String> = hole.collect();
            out.push_str(&format!("{}{{{}}}", self.namer.text(before), hole.join(".")));
            rest = after;
        }
        out + &self.namer.text(rest)
    }

    /// The feature's name and version are what matters.
    fn url(&mut self, said: &str) -> String {
        let Some((identity, version)) = said.trim_end_matches('/').rsplit_once("/v") else {
            return self.namer.text(said);
        };
        let (place, name) = identity.rsplit_once('/').unwrap_or(("", identity));
        let (place, name) = (self.namer.text(place), names_in(name, self.links, self.namer));
        format!("https://{place}.example/{name}/v{version}")
    }
}

fn is_definition(word: &str) -> bool {
    ["type", "input", "enum", "scalar", "interface", "union"].contains(&word)
}
