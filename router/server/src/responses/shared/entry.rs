//! An entry as bytes: a line, and the body.
//!
//! The line is `A` (an answer), `O` (each caller's own) or `N` (not kept), then when it was asked for (16 digits of
//! milliseconds, so that a script can compare them as text), the drops before it, how long it is fresh and may be used
//! stale, its age when it came (all in milliseconds), and whose it is.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::responses::store::{Answer, Kept, Moment};

/// Turns moments of this process into those of the clock on the wall, which gateways have in common.
#[derive(Debug, Clone, Copy)]
pub struct Wall {
    moment: Instant,
    clock: Duration,
}

impl Wall {
    /// The clock shows `clock` since 1970 at this moment.
    pub fn new(moment: Instant, clock: Duration) -> Wall {
        Wall { moment, clock }
    }

    fn millis(&self, moment: Instant) -> u64 {
        let at = match moment.checked_duration_since(self.moment) {
            Some(later) => self.clock + later,
            None => self.clock.saturating_sub(self.moment.duration_since(moment)),
        };
        millis(at)
    }

    /// A moment long ago may be before this machine began: then it is that of the beginning of this, and too young, which
    /// its time to live in Redis bounds.
    fn moment(&self, millis: u64) -> Instant {
        let at = Duration::from_millis(millis);
        match at.checked_sub(self.clock) {
            Some(later) => self.moment + later,
            None => self.moment.checked_sub(self.clock - at).unwrap_or(self.moment),
        }
    }

    /// An entry as bytes.
    pub fn write(&self, kept: &Kept) -> Vec<u8> {
        let asked = kept.asked();
        let (at, drops) = (self.millis(asked.at), asked.drops);
        match kept {
            Kept::EachTheirOwn(_) => format!("O{at:016} {drops}\n").into_bytes(),
            Kept::Never(_) => format!("N{at:016} {drops}\n").into_bytes(),
            Kept::Answer(answer) => {
                let [fresh, stale, age] = [answer.fresh, answer.stale, answer.age].map(millis);
                let whose = if answer.own { "own" } else { "all" };
                let line = format!("A{at:016} {drops} {fresh} {stale} {age} {whose}\n");
                [line.as_bytes(), &answer.body].concat()
            }
        }
    }

    /// An entry; `None` if it is none: anyone who can reach Redis may have written it.
    pub fn read(&self, bytes: &[u8]) -> Option<Kept> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, body) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
        let mut words = line.get(1..)?.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let asked = Moment {
            at: self.moment(number()?),
            drops: number()?,
        };
        match line.get(..1)? {
            "O" => Some(Kept::EachTheirOwn(asked)),
            "N" => Some(Kept::Never(asked)),
            "A" => {
                let [fresh, stale, age] = [number()?, number()?, number()?].map(Duration::from_millis);
                let own = match words.next()? {
                    "own" => true,
                    "all" => false,
                    _ => return None,
                };
                serde_json::from_slice::<IgnoredAny>(body).ok()?;
                Some(Kept::Answer(Answer {
                    body: Bytes::copy_from_slice(body),
                    asked,
                    fresh,
                    stale,
                    own,
                    age,
                    // What drops it is beside it in Redis.
                    tags: Box::default(),
                }))
            }
            _ => None,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn walls() -> (Wall, Wall) {
        let (now, clock) = (Instant::now() + 100 * SECOND, Duration::from_secs(1_700_000_000));
        (
            Wall::new(now, clock),
            Wall::new(now + 5 * SECOND, clock + 5 * SECOND),
        )
    }

    #[test]
    fn another_gateway_reads_what_one_wrote() {
        let (one, other) = walls();
        let asked = Moment {
            at: one.moment + SECOND,
            drops: 1_700_000_000_000_001,
        };
        let answer = Answer {
            body: Bytes::from_static(b"{\"a\":\n1}"),
            asked,
            fresh: 60 * SECOND,
            stale: 2 * SECOND,
            own: true,
            age: 3 * SECOND,
            tags: Box::default(),
        };
        let Some(Kept::Answer(read)) = other.read(&one.write(&Kept::Answer(answer))) else {
            panic!("it is an answer");
        };
        assert_eq!(read.asked, asked);
        assert_eq!(
            (read.fresh, read.stale, read.age),
            (60 * SECOND, 2 * SECOND, 3 * SECOND)
        );
        assert!(read.own);
        assert_eq!(&*read.body, b"{\"a\":\n1}");
        for mark in [Kept::Never(asked), Kept::EachTheirOwn(asked)] {
            let read = other.read(&one.write(&mark)).expect("a mark");
            assert_eq!(format!("{read:?}"), format!("{mark:?}"));
        }
    }

    #[test]
    fn what_is_no_entry_is_not_found() {
        let (wall, _) = walls();
        for bytes in [
            &b""[..],
            b"A\n{}",
            b"A0000000000000001 1 1 1 1 all\n{\"a\":",
            b"A0000000000000001 1 1 1 1 hers\n{}",
            b"A0000000000000001 -1 1 1 1 all\n{}",
            b"X0000000000000001 1\n",
            b"\xff\n{}",
            b"{\"data\":{}}",
        ] {
            assert!(wall.read(bytes).is_none(), "{bytes:?}");
        }
        assert!(wall.read(b"A0000000000000001 1 1 1 1 all\n{}").is_some());
    }
}
