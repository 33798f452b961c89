//! The one cookie, and the proof that a form was sent from our own page.
//!
//! Before a login the cookie holds a random value, after it another one that stands for the session. Forms carry a hash
//! of it: whoever can neither read our cookie nor our pages cannot make one up.

use axum::body::Body;
use axum::http::header::{COOKIE, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::config::Settings;
use crate::domain::{SESSION_LIFETIME, Secret, sha256};
use crate::params::Params;

/// The cookie's name; `__Host-` makes browsers insist on `Secure`, our host, and the whole path.
fn name(settings: &Settings) -> &'static str {
    if settings.is_secure() {
        "__Host-baedal"
    } else {
        "baedal"
    }
}

/// The cookie's value, if the browser sent one that we could have made.
pub fn read(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    let name = name(settings);
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(key, value)| *key == name && value.len() == 43)
        .map(|(_, value)| value.to_owned())
}

/// Sets the cookie.
pub fn set(response: &mut Response<Body>, settings: &Settings, value: &str) {
    let secure = if settings.is_secure() { "; Secure" } else { "" };
    let name = name(settings);
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={SESSION_LIFETIME}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// A new cookie for a browser that has none.
pub fn fresh() -> String {
    Secret::random().text().to_owned()
}

/// What a form must carry to belong to this cookie.
pub fn csrf(cookie: &str) -> String {
    sha256(&format!("form {cookie}"))
}

/// The cookie of a form that was sent from our own page; `None` for every other form.
pub fn check_form(headers: &HeaderMap, params: &Params, settings: &Settings) -> Option<String> {
    let cookie = read(headers, settings).filter(|_| is_same_origin(headers, settings))?;
    let sent = params.get("csrf")?;
    bool::from(sent.as_bytes().ct_eq(csrf(&cookie).as_bytes())).then_some(cookie)
}

/// What the browser itself says about where the form came from; older ones say nothing.
fn is_same_origin(headers: &HeaderMap, settings: &Settings) -> bool {
    let origin = headers
        .get(ORIGIN)
        .is_none_or(|origin| origin.as_bytes() == settings.origin.as_bytes());
    let site = headers
        .get("sec-fetch-site")
        .is_none_or(|site| site == "same-origin");
    origin && site
}
