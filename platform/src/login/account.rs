//! Login with a known account: the same pages and the same protocol, filled in by this program.
use anyhow::{Context, Result, bail, ensure};
use hyper::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use hyper::{Method, Request};
use oauth2::HttpResponse;
use url::{Url, form_urlencoded};

use super::form::Form;
use super::{Session, Tokens, http};

/// A login needs a page for the password, one for consent, and a few redirects between them.
const MOST_PAGES: usize = 10;

/// Logs `login` in and consents to `scopes`.
///
/// # Errors
/// No auth server, or it refuses the login (with what its page says).
pub async fn login(
    issuer: &str,
    client: Option<&str>,
    login: &str,
    password: &str,
    scopes: &[&str],
) -> Result<Tokens> {
    let redirect = Url::parse("http://127.0.0.1/callback")?;
    let session = Session::begin(issuer, client, redirect, scopes).await?;
    let mut visit = Visit {
        cookies: Vec::new(),
        login,
        password,
    };
    let answer = visit
        .follow(session.authorization_url.clone(), &session.redirect)
        .await?;
    session.finish(&answer).await
}

/// One browser window, so to speak.
struct Visit<'a> {
    cookies: Vec<(String, String)>,
    login: &'a str,
    password: &'a str,
}

impl Visit<'_> {
    async fn follow(&mut self, start: Url, until: &Url) -> Result<Url> {
        let mut asked_for_password = false;
        let mut at = start;
        let mut sent = None;
        for _ in 0..MOST_PAGES {
            let answer = self.ask(&at, sent.take()).await?;
            if let Some(location) = answer.headers().get(LOCATION) {
                at = at.join(location.to_str().context("a redirect to an unreadable address")?)?;
                if same_place(&at, until) {
                    return Ok(at);
                }
                continue;
            }
            let status = answer.status();
            let page = String::from_utf8_lossy(answer.body());
            ensure!(
                status.is_success(),
                "the auth server answered {status}: {}",
                words(&page)
            );
            let form = Form::first(&page, &at).with_context(|| words(&page))?;
            let password = form.fields.iter().any(|field| field.kind == "password");
            ensure!(
                !(password && asked_for_password),
                "the login was refused: {}",
                words(&page)
            );
            asked_for_password |= password;
            sent = Some(self.filled_in(&form));
            at = form.action;
        }
        bail!("the login did not come to its end within {MOST_PAGES} pages")
    }

    /// Gets a page, or posts a form to it, with the cookies so far.
    async fn ask(&mut self, url: &Url, form: Option<String>) -> Result<HttpResponse> {
        let mut request = Request::get(url.as_str()).header(COOKIE, self.cookie_header());
        if form.is_some() {
            request = request
                .method(Method::POST)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let answer = http::send(request.body(form.unwrap_or_default().into_bytes())?).await?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    /// What a person would send: the preset values, login and password, and the first button.
    fn filled_in(&self, form: &Form) -> String {
        let mut pressed = false;
        let mut sent = form_urlencoded::Serializer::new(String::new());
        for field in &form.fields {
            let value = match field.kind.as_str() {
                "password" => self.password.to_owned(),
                "text" | "email" => self.login.to_owned(),
                "submit" if pressed => continue,
                "submit" => {
                    pressed = true;
                    field.value.clone()
                }
                _ => field.value.clone(),
            };
            sent.append_pair(&field.name, &value);
        }
        sent.finish()
    }

    fn keep_cookies(&mut self, answer: &HttpResponse) {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            if let Some((name, value)) = text.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn cookie_header(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

fn same_place(url: &Url, other: &Url) -> bool {
    url.host_str() == other.host_str() && url.port() == other.port() && url.path() == other.path()
}

/// The words of a page without its markup, for an error message.
fn words(page: &str) -> String {
    let body = page.find("<body").map_or(page, |start| &page[start..]);
    let text: String = body
        .split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(" ");
    text.split_whitespace().take(40).collect::<Vec<_>>().join(" ")
}
