//! Values under tags. A tag is a set of the keys that bear it; it lives as long as the last of them.

use std::time::Duration;

use super::{Away, Valkey, millis};

/// `KEYS`: the value's, then those of its tags. `ARGV`: the value, and its time to live in milliseconds.
const SET: &str = "
local ttl = tonumber(ARGV[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ttl)
for i = 2, #KEYS do
  redis.call('SADD', KEYS[i], KEYS[1])
  if redis.call('PTTL', KEYS[i]) < ttl then redis.call('PEXPIRE', KEYS[i], ttl) end
end";

/// `KEYS`: those of the tags. Gives how many values went.
const DELETE: &str = "
local gone = 0
for _, tag in ipairs(KEYS) do
  local keys = redis.call('SMEMBERS', tag)
  for i = 1, #keys, 1000 do
    gone = gone + redis.call('DEL', unpack(keys, i, math.min(i + 999, #keys)))
  end
  redis.call('DEL', tag)
end
return gone";

impl Valkey {
    /// Keeps a value for so long, or until one of its tags goes. Both kinds of keys are made by [`Valkey::key`].
    pub async fn set_tagged(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
        tags: &[String],
    ) -> Result<(), Away> {
        if tags.is_empty() {
            return self.set(key, value, ttl).await;
        }
        let mut command = redis::cmd("EVAL");
        command.arg(SET).arg(1 + tags.len()).arg(key).arg(tags);
        self.run(command.arg(value).arg(millis(ttl))).await
    }

    /// Forgets all values with one of these tags; how many there were.
    pub async fn delete_tagged(&self, tags: &[String]) -> Result<u64, Away> {
        match tags {
            [] => Ok(0),
            tags => {
                self.run(redis::cmd("EVAL").arg(DELETE).arg(tags.len()).arg(tags))
                    .await
            }
        }
    }
}
