//! A browser: keeps one cookie, follows no redirect by itself, reads hidden fields.

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let from = self
            .body
            .find(&start)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body))
            + start.len();
        let to = from + self.body[from..].find('"').unwrap();
        self.body[from..to]
            .replace("&amp;", "&")
            .replace("&#39;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
    }

    pub fn is_login(&self) -> bool {
        self.body.contains("<h1>Log in</h1>")
    }

    pub fn is_consent(&self) -> bool {
        self.body.contains("<h1>Allow access?</h1>")
    }

    /// The page of an error that must not be sent anywhere.
    pub fn is_error_page(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
            && self.header("location").is_empty()
            && self.body.contains("This does not work")
    }

    /// A parameter of the redirect to the client.
    pub fn answer(&self, name: &str) -> Option<String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        parameter(self.header("location"), name)
    }
}

/// A parameter of a URL's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// One browser.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    pub cookie: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub fn new(base: &str) -> Browser {
        Browser {
            http: http(),
            base: base.to_owned(),
            cookie: None,
            headers: Vec::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.send(self.http.get(url)).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        self.send(self.http.post(format!("{}{path}", self.base)).form(form))
            .await
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Page {
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        if let Some(cookie) = headers.get(SET_COOKIE) {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        Page {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    /// Types login and password into the login page of an authorization request.
    pub async fn try_login(&mut self, authorize: &str, login: &str, password: &str) -> Page {
        let page = self.get(authorize).await;
        assert!(page.is_login(), "{}", page.body);
        let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
        self.post(
            "/login",
            &[
                ("csrf", &csrf),
                ("request", &request),
                ("login", login),
                ("password", password),
            ],
        )
        .await
    }

    /// Logs in and agrees; the redirect to the client comes back.
    pub async fn approve(&mut self, authorize: &str, login: &str, password: &str) -> Page {
        let page = self.try_login(authorize, login, password).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        let page = self.get(page.header("location")).await;
        if page.is_consent() {
            self.decide(&page, "allow").await
        } else {
            page
        }
    }

    /// Presses a button of the consent page.
    pub async fn decide(&mut self, consent: &Page, decision: &str) -> Page {
        let (csrf, request) = (consent.hidden("csrf"), consent.hidden("request"));
        self.post(
            "/consent",
            &[("csrf", &csrf), ("request", &request), ("decision", decision)],
        )
        .await
    }
}

/// A client that follows nothing.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}
