//! Unpacking, never further than a limit: what a bomb would become is not written anywhere.

use std::io::{ErrorKind, Read};

use bytes::Bytes;

use super::Coding;

/// The largest window of zstd that a server must know ([RFC 9659](https://www.rfc-editor.org/rfc/rfc9659)): 8 MiB. A
/// frame that asks for more would take it before its first byte.
const ZSTD_WINDOW: u32 = 23;
/// Bytes that are read at once.
const BUFFER: usize = 4096;
/// Unpacked text is usually so many times as long.
const USUAL_RATIO: usize = 4;

/// Why a body cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It would be larger than allowed.
    #[error("it is too large when it is unpacked")]
    TooLarge,
    /// It is not of this coding, or breaks off.
    #[error("it is not of this coding, or breaks off")]
    Broken,
}

impl Coding {
    /// What `packed` was made of, if that is at most `limit` bytes.
    pub fn unpack(self, packed: &[u8], limit: usize) -> Result<Bytes, UnpackError> {
        if packed.is_empty() {
            return Err(UnpackError::Broken);
        }
        match self {
            Coding::Gzip => read(flate2::bufread::MultiGzDecoder::new(packed), packed.len(), limit),
            Coding::Deflate => read(flate2::bufread::ZlibDecoder::new(packed), packed.len(), limit),
            Coding::Brotli => read(brotli::Decompressor::new(packed, BUFFER), packed.len(), limit),
            Coding::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| UnpackError::Broken)?;
                let bounded = decoder.window_log_max(ZSTD_WINDOW);
                bounded.map_err(|_| UnpackError::Broken)?;
                read(decoder, packed.len(), limit)
            }
        }
    }
}

fn read(mut source: impl Read, packed: usize, limit: usize) -> Result<Bytes, UnpackError> {
    let mut whole = Vec::with_capacity(packed.saturating_mul(USUAL_RATIO).min(limit));
    let mut buffer = [0; BUFFER];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(whole.into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Err(UnpackError::Broken),
        };
        if whole.len() + count > limit {
            return Err(UnpackError::TooLarge);
        }
        whole.extend_from_slice(&buffer[..count]);
    }
}
