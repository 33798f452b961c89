//! Request parameters, `application/x-www-form-urlencoded`: RFC 6749 section 3.1 and appendix B.

use url::form_urlencoded;

/// More is no request of ours.
const MAX_PARAMS: usize = 50;

/// Why parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// "Request and response parameters MUST NOT be included more than once."
    #[error("a parameter is repeated")]
    Repeated,
    /// Not UTF-8 after decoding.
    #[error("a parameter is not UTF-8")]
    NotUtf8,
    /// More than anybody needs.
    #[error("too many parameters")]
    TooMany,
}

/// Parameters, each at most once.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string or a form body.
    pub fn parse(encoded: &[u8]) -> Result<Params, ParamsError> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return Err(ParamsError::NotUtf8);
            }
            if params.iter().any(|(known, _)| *known == name) {
                return Err(ParamsError::Repeated);
            }
            if params.len() == MAX_PARAMS {
                return Err(ParamsError::TooMany);
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        Ok(Params(params))
    }

    /// A parameter; one without a value counts as omitted.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The same without one parameter.
    pub fn without(mut self, name: &str) -> Params {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The same with one parameter replaced.
    pub fn with(self, name: &str, value: String) -> Params {
        let mut params = self.without(name);
        params.0.push((name.to_owned(), value));
        params
    }

    /// Back to a query string.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}
