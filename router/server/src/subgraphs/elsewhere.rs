//! What is asked of others than subgraphs: documents, and the tokens of a login.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Uri};

use super::client::{host, target};
use super::{Client, Repeat, SubgraphError};

impl Client {
    /// Gets a document, which must come with a status of success.
    pub async fn get(&self, url: &Uri, timeout: Duration) -> Result<Bytes, SubgraphError> {
        let head = format!("GET {} HTTP/1.1\r\n{}\r\n", target(url), host(url));
        let asked = self.ask(url, [head.as_bytes()], Repeat::Once, timeout).await;
        let (status, retry_after, body) = asked?;
        match status.is_success() {
            true => Ok(body),
            false => Err(SubgraphError::Status { status, retry_after }),
        }
    }

    /// Posts a form, once, and reads the whole answer, whatever its status.
    pub async fn post_form(
        &self,
        url: &Uri,
        form: &[u8],
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), SubgraphError> {
        let head = format!(
            "POST {} HTTP/1.1\r\n{}content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n\
             content-length: {}\r\n\r\n",
            target(url),
            host(url),
            form.len()
        );
        let request = [head.as_bytes(), form];
        let (status, _, body) = self.ask(url, request, Repeat::Never, timeout).await?;
        Ok((status, body))
    }
}
