//! A torn last write: what a power cut leaves of a transaction that was being appended to SQLite's write-ahead log.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#walformat>. A header of 32 bytes, then frames of a header of 24 bytes
//! and a page. Frames count as long as they carry the header's salts and a running checksum holds; the last frame of a
//! transaction names the size of the database.
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::random::Random;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Puts the beginning of a frame behind the last committed one, with the right salts and a wrong rest. False where the
/// log is empty.
///
/// # Errors
/// The file cannot be read or written.
pub fn tear(path: &Path, random: &mut Random) -> Result<bool> {
    let mut log = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(end) = committed(&log) else {
        return Ok(false);
    };
    let salts: Vec<u8> = log[16..24].to_vec();
    log.truncate(end);
    let page = page_size(&log);
    let mut frame: Vec<u8> = (0..FRAME + page)
        .map(|_| random.draw().to_le_bytes()[0])
        .collect();
    // Page 1, and a database of as many pages as it likes: it looks like a whole transaction.
    frame[..8].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 9]);
    frame[8..16].copy_from_slice(&salts);
    let cut = 1 + usize::try_from(random.below(frame.len() as u64))?;
    log.extend_from_slice(&frame[..cut.min(frame.len())]);
    fs::write(path, log)?;
    Ok(true)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn page_size(log: &[u8]) -> usize {
    match word(log, 8) {
        1 => 65_536,
        size => size as usize,
    }
}

/// The end of the last committed frame; none where there is none.
fn committed(log: &[u8]) -> Option<usize> {
    if log.len() < HEADER {
        return None;
    }
    let big_endian = word(log, 0) & 1 == 1;
    let (page, salts) = (page_size(log), &log[16..24]);
    let mut sum = checksum((0, 0), &log[..24], big_endian);
    let (mut at, mut end) = (HEADER, None);
    while at + FRAME + page <= log.len() {
        let frame = &log[at..at + FRAME + page];
        sum = checksum(sum, &frame[..8], big_endian);
        sum = checksum(sum, &frame[FRAME..], big_endian);
        if &frame[8..16] != salts || sum != (word(frame, 16), word(frame, 20)) {
            break;
        }
        at += FRAME + page;
        if word(frame, 4) != 0 {
            end = Some(at);
        }
    }
    end
}

fn checksum((mut a, mut b): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let read = |bytes: &[u8]| {
        let four: [u8; 4] = bytes.try_into().expect("four bytes");
        match big_endian {
            true => u32::from_be_bytes(four),
            false => u32::from_le_bytes(four),
        }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(read(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(read(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}
