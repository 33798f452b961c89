//! A rate that many processes count together: the generic cell rate algorithm, as in [`baedal_traffic::rate`], in a script
//! that the server runs as one step, by its own clock.

use std::time::Duration;

use baedal_traffic::rate::Settings;

use super::{Away, Valkey};

/// `KEYS`: the cell. `ARGV`: microseconds for each, and those that may come at once besides the first.
/// Gives 0, or the microseconds until there will be one. The cell holds when it will be empty.
const TAKE: &str = "
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local each = tonumber(ARGV[1])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full - tonumber(ARGV[2]) - now
if wait > 0 then return math.ceil(wait) end
full = full + each
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return 0";

/// How much is allowed, in the script's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    each: u64,
    besides: u64,
}

impl Rate {
    /// The same rate.
    pub fn of(settings: Settings) -> Rate {
        let each = settings.per / settings.count.get();
        let each = u64::try_from(each.as_micros()).unwrap_or(u64::MAX).max(1);
        Rate {
            each,
            besides: each.saturating_mul(u64::from(settings.burst.get()) - 1),
        }
    }
}

impl Valkey {
    /// Uses one up of a rate, or says when there will be one.
    pub async fn take(&self, key: &str, rate: Rate) -> Result<Result<(), Duration>, Away> {
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE).arg(1).arg(key).arg(rate.each).arg(rate.besides);
        let wait: u64 = self.run(&command).await?;
        Ok(match wait {
            0 => Ok(()),
            wait => Err(Duration::from_micros(wait)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_rate_is_even_and_never_free() {
        let rate = |count, per, burst| {
            let number = |number| NonZeroU32::new(number).expect("not zero");
            Rate::of(Settings {
                count: number(count),
                per,
                burst: number(burst),
                keys: 1,
            })
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            rate(4, second, 4),
            Rate {
                each: 250_000,
                besides: 750_000
            }
        );
        assert_eq!(
            rate(4, second, 1),
            Rate {
                each: 250_000,
                besides: 0
            }
        );
        assert_eq!(rate(2_000_000_000, second, 2).each, 1);
    }
}
