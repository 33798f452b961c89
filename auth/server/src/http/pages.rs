//! The pages: plain HTML that works without script and with a screen reader.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use baedal_token::Scopes;

use crate::domain::{AuthRequest, User, source};

/// The hidden fields of every form.
pub struct Form {
    /// Proof that the form is ours.
    pub csrf: String,
    /// The authorization request, as a query string.
    pub request: String,
}

/// The login page.
pub fn login(form: &Form, client: &str, problem: Option<&str>) -> String {
    let problem = problem.map(|text| format!("<p role=\"alert\" class=\"problem\">{}</p>", escape(text)));
    let body = format!(
        "<h1>Log in</h1><p>to continue to <strong>{client}</strong></p>{problem}\
         <form method=\"post\" action=\"login\">{hidden}\
         <label for=\"login\">Login</label>\
         <input id=\"login\" name=\"login\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <button type=\"submit\">Log in</button></form>",
        client = escape(client),
        problem = problem.unwrap_or_default(),
        hidden = hidden(form),
    );
    document("Log in", &body)
}

/// The consent page.
pub fn consent(form: &Form, request: &AuthRequest, user: &User, scope: &Scopes) -> String {
    let items: String = scope
        .iter()
        .map(|name| format!("<li>{}</li>", escape(meaning(name))))
        .collect();
    let body = format!(
        "<h1>Allow access?</h1><p><strong>{client}</strong> asks, and you are <strong>{user}</strong>:</p><ul>{items}</ul>\
         <p>The answer goes to <code>{place}</code>.</p>\
         <form method=\"post\" action=\"consent\">{hidden}\
         <button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button>\
         <button type=\"submit\" name=\"decision\" value=\"deny\" class=\"second\">Refuse</button></form>",
        client = escape(&request.client.name),
        user = escape(&user.name),
        place = escape(&source(&request.redirect_uri)),
        hidden = hidden(form),
    );
    document("Allow access?", &body)
}

/// A page for what cannot go on.
pub fn error(reason: &str) -> String {
    document(
        "This does not work",
        &format!(
            "<h1>This does not work</h1><p role=\"alert\">{}</p>",
            escape(reason)
        ),
    )
}

fn meaning(scope: &str) -> &str {
    match scope {
        "openid" => "know who you are",
        "profile" => "see your name and login",
        "offline_access" => "keep access while you are away, until you withdraw it",
        "order" => "place, see and cancel your orders, with your payments, coupons and points",
        "store" => "manage the menus and orders of your stores",
        "operator" => "see all orders of the platform",
        other => other,
    }
}

fn hidden(form: &Form) -> String {
    format!(
        "<input type=\"hidden\" name=\"csrf\" value=\"{}\"><input type=\"hidden\" name=\"request\" value=\"{}\">",
        escape(&form.csrf),
        escape(&form.request)
    )
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · baedal</title><link rel=\"stylesheet\" href=\"style.css\"></head>\
         <body><main>{body}</main></body></html>"
    )
}

/// Text for an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// GET /style.css: a file, so that the pages need no inline style.
pub async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

const STYLE: &str = "\
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(24rem, 90vw); padding: 2rem 0; }
label { display: block; margin-top: 1rem; }
input:not([type=hidden]) { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; border: 1px solid #767676; border-radius: .3rem; }
button { margin: 1.5rem .5rem 0 0; padding: .6rem 1.4rem; font: inherit; border: 1px solid #0b5d3b; border-radius: .3rem; background: #0b5d3b; color: #fff; cursor: pointer; }
button.second { background: transparent; color: inherit; border-color: #767676; }
:focus-visible { outline: 3px solid #f2a900; outline-offset: 2px; }
.problem { padding: .6rem 1rem; border-left: 4px solid #b3261e; background: #b3261e22; }
code { overflow-wrap: anywhere; }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let form = Form {
            csrf: "\"><script>".into(),
            request: "a='b'&c=<d>".into(),
        };
        let html = login(&form, "<img src=x onerror=alert(1)>", Some("<b>"));
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"));
        assert!(html.contains("value=\"a=&#39;b&#39;&amp;c=&lt;d&gt;\""));
    }
}
