//! How many connections there may be for streams: of all clients, and of one user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::WebSocketConfig;
use crate::errors::{Code, Refusal};

/// Counts connections.
pub struct Admission {
    counts: Mutex<Counts>,
}

struct Counts {
    most: usize,
    most_of_user: usize,
    all: usize,
    users: HashMap<Arc<str>, usize>,
}

/// A connection that was let in; dropped, it is gone.
pub struct Admitted {
    admission: Arc<Admission>,
    user: Option<Arc<str>>,
}

impl Admission {
    /// Lets in at most so many, and so many of one user.
    pub fn new(most: usize, most_of_user: usize) -> Arc<Admission> {
        Arc::new(Admission {
            counts: Mutex::new(Counts {
                most,
                most_of_user,
                all: 0,
                users: HashMap::new(),
            }),
        })
    }

    /// Other limits from now on; whoever is in stays.
    pub fn change(&self, settings: &WebSocketConfig) {
        let mut counts = self.lock();
        counts.most = settings.max_connections;
        counts.most_of_user = settings.max_connections_per_user;
    }

    /// Lets a connection in, whosoever it is.
    pub fn admit(self: &Arc<Self>) -> Result<Admitted, Refusal> {
        let mut counts = self.lock();
        if counts.all >= counts.most {
            let text = "the gateway has as many streams as it may (websocket.max_connections)";
            return Err(Refusal::new(Code::TooManyConnections, text));
        }
        counts.all += 1;
        Ok(Admitted {
            admission: Arc::clone(self),
            user: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Says whose it is, once that is known.
    pub fn of_user(&mut self, user: &str) -> Result<(), Refusal> {
        let mut counts = self.admission.lock();
        let user: Arc<str> = user.into();
        let most = counts.most_of_user;
        let count = counts.users.entry(Arc::clone(&user)).or_insert(0);
        if *count >= most {
            let text = "this user has as many streams as one may (websocket.max_connections_per_user)";
            return Err(Refusal::new(Code::TooManyConnections, text));
        }
        *count += 1;
        self.user = Some(user);
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        counts.all -= 1;
        let Some(user) = &self.user else {
            return;
        };
        if let Some(count) = counts.users.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                counts.users.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_makes_room() {
        let admission = Admission::new(3, 1);
        let mut first = admission.admit().expect("room");
        first.of_user("ada").expect("the first of hers");
        let mut second = admission.admit().expect("room");
        assert!(second.of_user("ada").is_err());
        second.of_user("alan").expect("the first of his");
        let third = admission.admit().expect("room");
        assert!(admission.admit().is_err(), "there is room for three");
        drop(first);
        let mut fourth = admission.admit().expect("room again");
        fourth.of_user("ada").expect("the first of hers again");
        drop((second, third, fourth));
        assert!(admission.lock().users.is_empty());
        assert_eq!(admission.lock().all, 0);
    }
}
