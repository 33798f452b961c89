//! Connections to payment: several, so that all replicas behind one address get work, and none for ever, so that a
//! replica that comes later gets some too.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use baedal_traffic::{Clock, Outcome, Pick, Rejected, Rotation, TokioClock, breaker};
use tonic::transport::{Channel, Endpoint, Error};

use super::proto::payment_service_client::PaymentServiceClient;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(300);
/// How often an idle connection is probed, and how long a probe may take: a peer that vanished is noticed.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(2));
/// How long a connection is used, and how much longer the next one is: they are not all made anew at once.
const LIFETIME: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1));

type Client = PaymentServiceClient<Channel>;

/// An address that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is not an address like http://127.0.0.1:4022: {source}")]
pub struct AddressError {
    url: String,
    source: Error,
}

/// All connections.
pub struct Lines {
    all: Vec<Line>,
    rotation: Rotation,
    clock: Arc<dyn Clock>,
}

struct Line {
    endpoint: Endpoint,
    lifetime: Duration,
    current: Mutex<(Client, Duration)>,
}

/// A connection for one call.
pub struct Picked<'a> {
    client: Client,
    pick: Pick<'a>,
}

impl Lines {
    /// So many to each of the addresses.
    pub fn new(urls: &str, each: usize) -> Result<Lines, AddressError> {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let urls: Vec<_> = urls.split(',').map(str::trim).collect();
        // The addresses take turns, too.
        let turns = (0..each.max(1)).flat_map(|_| urls.iter().copied());
        let mut all = Vec::new();
        for (number, url) in turns.enumerate() {
            let lifetime = LIFETIME.0 + LIFETIME.1 * u32::try_from(number).unwrap_or(u32::MAX);
            all.push(Line::new(url, lifetime, clock.now())?);
        }
        let names: Vec<_> = (0..all.len())
            .map(|number| format!("payment connection {number}"))
            .collect();
        Ok(Lines {
            rotation: Rotation::new(&names, &one_line(), &clock),
            all,
            clock,
        })
    }

    /// The next one that works, as far as is known.
    pub fn pick(&self) -> Result<Picked<'_>, Rejected> {
        let pick = self.rotation.pick()?;
        let client = self.all[pick.index].client(self.clock.now());
        Ok(Picked { client, pick })
    }
}

/// A connection on which call after call fails is left out for a moment. That payment as a whole is slow or down is for
/// the breaker before all of them.
fn one_line() -> breaker::Settings {
    breaker::Settings {
        failure_rate: 0.9,
        slow_call: Duration::MAX,
        open_for: Duration::from_secs(1),
        probes: 1,
        ..breaker::Settings::default()
    }
}

impl Line {
    fn new(url: &str, lifetime: Duration, now: Duration) -> Result<Line, AddressError> {
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|source| AddressError {
            url: url.to_owned(),
            source,
        })?;
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .keep_alive_while_idle(true);
        Ok(Line {
            current: Mutex::new((lazy(&endpoint), now)),
            endpoint,
            lifetime,
        })
    }

    /// The connection, or a new one in its place when it is old; calls under way end on the old one.
    fn client(&self, now: Duration) -> Client {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(current.1) >= self.lifetime {
            *current = (lazy(&self.endpoint), now);
        }
        current.0.clone()
    }
}

/// A connection that is made when first needed, and made again when lost.
fn lazy(endpoint: &Endpoint) -> Client {
    PaymentServiceClient::new(endpoint.connect_lazy())
}

impl Picked<'_> {
    /// What to call.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The call is over.
    pub fn finish(self, outcome: Outcome) {
        self.pick.finish(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_and_connections_take_turns() {
        let lines = Lines::new("http://127.0.0.1:1, http://127.0.0.1:2", 3).expect("addresses");
        let ports: Vec<_> = lines
            .all
            .iter()
            .map(|line| line.endpoint.uri().port_u16())
            .collect();
        assert_eq!(ports, [Some(1), Some(2), Some(1), Some(2), Some(1), Some(2)]);
        let turns: Vec<_> = (0..6)
            .filter_map(|_| lines.pick().ok())
            .map(|line| line.pick.index)
            .collect();
        assert_eq!(turns, [0, 1, 2, 3, 4, 5]);
        assert!(Lines::new("http://127.0.0.1:1,,", 1).is_err());
    }

    #[tokio::test]
    async fn an_old_connection_is_replaced() {
        let second = Duration::from_secs(1);
        let line = Line::new("http://127.0.0.1:1", second, Duration::ZERO).expect("an address");
        let born = |now| {
            line.client(now);
            line.current.lock().expect("whole").1
        };
        assert_eq!(born(second / 2), Duration::ZERO);
        assert_eq!(born(second), second);
        assert_eq!(born(second * 3 / 2), second);
    }
}
