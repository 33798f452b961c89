//! The head of a request of HTTP/1.1 as it came, for what is not to be seen any more once it was read: a request with
//! both `Content-Length` and `Transfer-Encoding` is one whose end two readers may see at two places, and so a way to
//! smuggle another past the first of them ([RFC 9112, section 6.1](https://www.rfc-editor.org/rfc/rfc9112#section-6.1)).
//! hyper goes by the chunks, drops the length, and closes the connection after its answer; here it gets no answer but 400.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Header fields that are read of a head: as many as hyper reads.
const FIELDS: usize = 100;
/// Bytes that are kept of one, as many as hyper reads.
const MOST: usize = super::door::HEAD_BYTES;

/// The bytes of the head that is being read, or was read last.
#[derive(Debug, Default)]
pub struct Head(Mutex<Vec<u8>>);

impl Head {
    /// Another one begins.
    pub fn begin(&self) {
        self.lock().clear();
    }

    /// No other one comes: nothing is kept.
    pub fn end(&self) {
        *self.lock() = Vec::new();
    }

    /// More of it, and perhaps of the body behind it.
    pub fn hear(&self, bytes: &[u8]) {
        let mut kept = self.lock();
        let room = MOST.saturating_sub(kept.len());
        let length = end(bytes).unwrap_or(bytes.len()).min(room);
        kept.extend_from_slice(&bytes[..length]);
    }

    /// Whether it tells both a length and a transfer coding. Not of a request that was sent before the one ahead of it was
    /// answered: that one's head is not kept apart. (Its connection is closed all the same, by hyper.)
    pub fn has_two_lengths(&self) -> bool {
        let kept = self.lock();
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let is_whole = request.parse(&kept).is_ok_and(|status| status.is_complete());
        let has = |name: &str| {
            let mut fields = request.headers.iter();
            fields.any(|field| field.name.eq_ignore_ascii_case(name))
        };
        is_whole && has("content-length") && has("transfer-encoding")
    }

    /// A poisoned lock holds bytes: nothing under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a head ends that ends in `bytes`, if its lines end as they should.
fn end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes)
        .find(|at| bytes[at + 1..].starts_with(b"\r\n"))
        .map(|at| at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pieces: &[&str]) -> Head {
        let head = Head::default();
        pieces.iter().for_each(|piece| head.hear(piece.as_bytes()));
        head
    }

    #[test]
    fn both_are_found_whatever_pieces_the_head_comes_in() {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n";
        assert!(heard(&[text]).has_two_lengths());
        for at in 1..text.find("\r\n\r\n").expect("its end") + 4 {
            let (first, second) = text.split_at(at);
            assert!(heard(&[first, second]).has_two_lengths(), "{at}");
        }
        assert!(
            heard(&[&text.replace("\r\n", "\n")]).has_two_lengths(),
            "bare line feeds"
        );
    }

    #[test]
    fn what_stands_in_a_body_does_not_count() {
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let head = heard(&[chunked, "content-length: 1\r\n\r\n"]);
        assert!(!head.has_two_lengths());
        head.begin();
        head.hear(b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\n");
        assert!(!head.has_two_lengths(), "the one before is forgotten");
    }

    #[test]
    fn no_more_is_kept_than_a_head_may_have() {
        let head = heard(&["POST / HTTP/1.1\r\n\r\nbody"]);
        assert_eq!(head.lock().as_slice(), b"POST / HTTP/1.1\r\n\r\n");
        for _ in 0..1000 {
            head.hear(&[b'x'; 1024]);
        }
        assert!(head.lock().len() <= MOST);
        head.end();
        assert_eq!(head.lock().capacity(), 0);
    }
}
