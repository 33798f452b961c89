//! Packing, a piece at a time.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::Coding;

/// Of 9: JSON is packed well enough at the first levels, and quickly.
const DEFLATE_LEVEL: u32 = 3;
/// Of 11.
const BROTLI_QUALITY: u32 = 3;
/// 2^18 bytes: what a packer of a long stream keeps must stay small.
const BROTLI_WINDOW: u32 = 18;
/// Of 22.
const ZSTD_LEVEL: i32 = 1;
const BUFFER: usize = 4096;

/// What goes into memory does not fail, and the packers themselves fail at nothing else.
const INTO_MEMORY: &str = "a packer that writes into memory does not fail";

/// Packs a body.
pub struct Packer(Kind);

enum Kind {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Packer {
    /// One that has packed nothing yet.
    pub fn new(coding: Coding) -> Packer {
        let level = Compression::new(DEFLATE_LEVEL);
        Packer(match coding {
            Coding::Gzip => Kind::Gzip(GzEncoder::new(Vec::new(), level)),
            Coding::Deflate => Kind::Deflate(ZlibEncoder::new(Vec::new(), level)),
            Coding::Brotli => {
                let writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
                Kind::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                Kind::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).expect(INTO_MEMORY))
            }
        })
    }

    /// Packs more.
    pub fn write(&mut self, bytes: &[u8]) {
        let written = match &mut self.0 {
            Kind::Gzip(packer) => packer.write_all(bytes),
            Kind::Deflate(packer) => packer.write_all(bytes),
            Kind::Brotli(packer) => packer.write_all(bytes),
            Kind::Zstd(packer) => packer.write_all(bytes),
        };
        written.expect(INTO_MEMORY);
    }

    /// Lets all that was written so far come out.
    pub fn flush(&mut self) {
        let flushed = match &mut self.0 {
            Kind::Gzip(packer) => packer.flush(),
            Kind::Deflate(packer) => packer.flush(),
            Kind::Brotli(packer) => packer.flush(),
            Kind::Zstd(packer) => packer.flush(),
        };
        flushed.expect(INTO_MEMORY);
    }

    /// What has come out since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.0 {
            Kind::Gzip(packer) => packer.get_mut(),
            Kind::Deflate(packer) => packer.get_mut(),
            Kind::Brotli(packer) => packer.get_mut(),
            Kind::Zstd(packer) => packer.get_mut(),
        })
    }

    /// The rest, and the end.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Kind::Gzip(packer) => packer.finish().expect(INTO_MEMORY),
            Kind::Deflate(packer) => packer.finish().expect(INTO_MEMORY),
            Kind::Brotli(packer) => packer.into_inner(),
            Kind::Zstd(packer) => packer.finish().expect(INTO_MEMORY),
        }
    }
}
