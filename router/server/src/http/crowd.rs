//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::ConnectionsConfig;

/// Everyone who is connected.
#[derive(Debug)]
pub struct Crowd {
    max: usize,
    max_per_address: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    /// Only where a limit asks for it.
    by_address: HashMap<IpAddr, usize>,
}

/// A place for a connection, given up when it is dropped.
#[derive(Debug)]
pub struct Inhabitant {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// There are `connections.max`.
    All,
    /// There are `connections.max_per_address` from there.
    Address,
}

impl Full {
    /// As metrics tell it.
    pub fn name(self) -> &'static str {
        match self {
            Full::All => "max",
            Full::Address => "max_per_address",
        }
    }
}

impl Crowd {
    /// Nobody, with these limits.
    pub fn new(config: &ConnectionsConfig) -> Arc<Crowd> {
        let or_any = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        Arc::new(Crowd {
            max: or_any(config.max),
            max_per_address: or_any(config.max_per_address),
            inside: Mutex::default(),
        })
    }

    /// A place for a connection from `address`.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Inhabitant, Full> {
        let address = network(address);
        let mut inside = self.lock();
        if inside.all >= self.max {
            return Err(Full::All);
        }
        if self.tells_apart() {
            let there = inside.by_address.entry(address).or_default();
            if *there >= self.max_per_address {
                return Err(Full::Address);
            }
            *there += 1;
        }
        inside.all += 1;
        Ok(Inhabitant {
            crowd: Arc::clone(self),
            address,
        })
    }

    fn tells_apart(&self) -> bool {
        self.max_per_address < usize::MAX
    }

    fn leave(&self, address: IpAddr) {
        let mut inside = self.lock();
        inside.all -= 1;
        if let Some(there) = inside.by_address.get_mut(&address) {
            *there -= 1;
            if *there == 0 {
                inside.by_address.remove(&address);
            }
        }
    }

    /// A poisoned lock holds numbers that fit together: nothing between their changes can panic.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inhabitant {
    fn drop(&mut self) {
        self.crowd.leave(self.address);
    }
}

/// Whoever has one address of IPv6 has all that begin with the same 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(max: usize, max_per_address: usize) -> Arc<Crowd> {
        Crowd::new(&ConnectionsConfig {
            max,
            max_per_address,
            ..ConnectionsConfig::default()
        })
    }

    #[test]
    fn there_is_room_for_so_many_and_again_when_one_leaves() {
        let crowd = crowd(2, 0);
        let home = IpAddr::from([127, 0, 0, 1]);
        let first = crowd.enter(home).expect("room");
        let _second = crowd.enter(home).expect("room");
        assert_eq!(crowd.enter(home).expect_err("full"), Full::All);
        drop(first);
        let _third = crowd.enter(home).expect("room again");
    }

    #[test]
    fn an_address_takes_its_own_share_only() {
        let crowd = crowd(0, 1);
        let one: IpAddr = "2001:db8::1".parse().expect("an address");
        let neighbour: IpAddr = "2001:db8::2".parse().expect("an address");
        let other: IpAddr = "2001:db8:0:1::1".parse().expect("an address");
        let inside = crowd.enter(one).expect("room");
        assert_eq!(
            crowd.enter(neighbour).expect_err("the same network"),
            Full::Address
        );
        let _other = crowd.enter(other).expect("room");
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().expect("an address");
        let _mapped = crowd.enter(mapped).expect("room");
        assert_eq!(
            crowd.enter([10, 0, 0, 1].into()).expect_err("the same"),
            Full::Address
        );
        drop(inside);
        drop(crowd.enter(neighbour).expect("room again"));
        assert_eq!(crowd.lock().by_address.len(), 2, "who has left is forgotten");
    }
}
