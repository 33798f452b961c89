//! Reads the one form of a login or consent page, enough to fill it in as a browser would.
use anyhow::{Context, Result};
use url::Url;

/// A form as its page gives it.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent (POST).
    pub action: Url,
    /// Names and preset values of its inputs, in order; buttons have the value they would send.
    pub fields: Vec<Field>,
}

/// An input or a button.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// `name`.
    pub name: String,
    /// `value`, empty where there is none.
    pub value: String,
    /// `type` (`hidden`, `text`, `password`, `submit`, …).
    pub kind: String,
}

impl Form {
    /// The first form of `page`, which was loaded from `base`.
    ///
    /// # Errors
    /// The page has no form.
    pub fn first(page: &str, base: &Url) -> Result<Form> {
        let start = page.find("<form").context("the page has no form")?;
        let end = page[start..]
            .find("</form")
            .map_or(page.len(), |length| start + length);
        let text = &page[start..end];
        let head = &text[..text.find('>').unwrap_or(text.len())];
        let action = base.join(&attribute(head, "action").unwrap_or_default())?;
        let tags = text
            .split('<')
            .filter(|tag| tag.starts_with("input") || tag.starts_with("button"));
        let fields = tags.filter_map(|tag| {
            let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
            let otherwise = if tag.starts_with("button") {
                "submit"
            } else {
                "text"
            };
            let kind = attribute(tag, "type").unwrap_or_else(|| otherwise.to_owned());
            Some(Field {
                name: attribute(tag, "name")?,
                value: attribute(tag, "value").unwrap_or_default(),
                kind,
            })
        });
        Ok(Form {
            action,
            fields: fields.collect(),
        })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = tag[start..].find('"')? + start;
    Some(unescape(&tag[start..end]))
}

fn unescape(text: &str) -> String {
    let text = text
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#x2F;", "/")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_hidden_inputs_and_buttons() {
        let page = "<p><form method=\"post\" action=\"/login?a=1&amp;b=2\"><input type=\"hidden\" name=\"csrf\" value=\"x&quot;y\">\
                    <input name=\"login\"><button name=\"decision\" value=\"allow\">Allow</button></form><input name=\"other\">";
        let form = Form::first(page, &Url::parse("http://127.0.0.1:1/authorize?z=1").unwrap()).unwrap();
        assert_eq!(form.action.as_str(), "http://127.0.0.1:1/login?a=1&b=2");
        let names: Vec<_> = form
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.value.as_str(), f.kind.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("csrf", "x\"y", "hidden"),
                ("login", "", "text"),
                ("decision", "allow", "submit")
            ]
        );
    }

    #[test]
    fn a_page_without_form_is_an_error() {
        let base = Url::parse("http://127.0.0.1:1/").unwrap();
        assert!(Form::first("<p>no</p>", &base).is_err());
    }
}
