//! What Redis does as a whole, so that nothing comes between. Times are the server's own, in microseconds.
//!
//! Keys of answers and tags are arguments, not declared: gateways use one server, no cluster.

use std::time::Duration;

use redis::Cmd;

/// When it was, what the server is, what the latest mark says, and the values.
pub type Looked = (String, String, String, Vec<Option<Vec<u8>>>);

/// `KEYS`: that of the epoch, of marks. `ARGV`: keys of values.
const LOOK: &str = "
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000000 + time[2])
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = now
  redis.call('SET', KEYS[1], epoch)
end
local fence = 0
for i = 2, #KEYS do fence = math.max(fence, tonumber(redis.call('GET', KEYS[i]) or '0')) end
local found = {}
for i = 1, #ARGV do found[i] = redis.call('GET', ARGV[i]) end
return {now, epoch, string.format('%.0f', fence), found}";

/// `KEYS`: that of the epoch, of marks. `ARGV`: the epoch, when it was looked, and for each entry its key, its time to live
/// in milliseconds, its value, how many tags it has, and of each the keys of its mark and of what has it.
const PUT: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local asked = tonumber(ARGV[2])
for i = 2, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') > asked then return 0 end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept, at = 0, 3
while at <= #ARGV do
  local key, ttl, value, tags = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local first = at + 4
  at = first + 2 * tags
  local good = true
  for i = first, at - 1, 2 do
    if tonumber(redis.call('GET', ARGV[i]) or '0') > asked then good = false end
  end
  if good and string.sub(value, 1, 1) == 'A' then
    local there = redis.call('GETRANGE', key, 0, 16)
    good = string.sub(there, 1, 1) ~= 'A' or there <= string.sub(value, 1, 17)
  end
  if good then
    redis.call('SET', key, value, 'PX', ttl)
    kept = kept + 1
    for i = first + 1, at - 1, 2 do
      redis.call('ZREMRANGEBYSCORE', ARGV[i], '-inf', now)
      redis.call('ZADD', ARGV[i], now + ttl, key)
      if redis.call('PTTL', ARGV[i]) < ttl then redis.call('PEXPIRE', ARGV[i], ttl) end
    end
  end
end
return kept";

/// `KEYS`: marks. `ARGV`: their time to live in milliseconds. A mark is later than whatever was looked at before.
const MARK: &str = "
local time = redis.call('TIME')
local mark = string.format('%.0f', time[1] * 1000000 + time[2] + 1)
for i = 1, #KEYS do redis.call('SET', KEYS[i], mark, 'PX', ARGV[1]) end
return redis.status_reply('OK')";

/// `KEYS`: that of what has a tag. `ARGV`: how many to drop at most. Gives how many there were, and whether there are more.
const DROP: &str = "
local keys = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
if #keys == 0 then return {0, 0} end
local gone = redis.call('UNLINK', unpack(keys))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, #keys - 1)
return {gone, redis.call('EXISTS', KEYS[1])}";

/// Looks for values.
pub fn look(epoch: &str, marks: &[String], keys: impl Iterator<Item = String>) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(LOOK).arg(1 + marks.len()).arg(epoch).arg(marks);
    keys.for_each(|key| _ = command.arg(key));
    command
}

/// Begins to keep entries that were asked for after this look.
pub fn put(epoch: &str, marks: &[String], seen: &str, looked: u64) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(PUT).arg(1 + marks.len()).arg(epoch).arg(marks);
    command.arg(seen).arg(looked);
    command
}

/// Something to keep.
pub struct Entry {
    /// Its key.
    pub key: String,
    /// How long it may be used from now on.
    pub left: Duration,
    /// Its bytes.
    pub value: Vec<u8>,
    /// Keys of each tag's mark, and of what has it.
    pub tags: Vec<(String, String)>,
}

impl Entry {
    /// Adds it to a command.
    pub fn add(self, command: &mut Cmd) {
        command.arg(self.key).arg(millis(self.left)).arg(self.value);
        command.arg(self.tags.len());
        for (mark, tagged) in self.tags {
            command.arg(mark).arg(tagged);
        }
    }
}

/// Marks things as dropped now, for so long.
pub fn mark(marks: &[String], longest: Duration) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(MARK).arg(marks.len()).arg(marks).arg(millis(longest));
    command
}

/// Drops what has a tag, so many at once.
pub fn drop_tagged(tagged: &str, at_once: usize) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(DROP).arg(1).arg(tagged).arg(at_once);
    command
}

/// As Redis takes it: never 0, which it refuses.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, u64::from(u32::MAX) * 1_000)
}
