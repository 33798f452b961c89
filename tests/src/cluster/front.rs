//! What stands in front of the replicas of a part: a balancer for HTTP, and for payment one for gRPC.
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use baedal::settings::{Part, Settings};

use super::Replica;
use crate::balancer::{Balancer, Counts};

/// The balancers of one part.
pub struct Front {
    /// HTTP and WebSocket.
    http: Balancer,
    /// gRPC, of payment.
    grpc: Option<Balancer>,
}

impl Front {
    /// On the part's addresses in `settings`.
    ///
    /// # Errors
    /// A port that is taken.
    pub async fn open(part: Part, settings: &Settings) -> Result<Front> {
        let grpc = match part {
            Part::Payment => Some(Balancer::start(settings.ports.payment_grpc).await?),
            _ => None,
        };
        Ok(Front {
            http: Balancer::start(settings.port(part)).await?,
            grpc,
        })
    }

    /// Adds a replica.
    pub fn add(&self, replica: &Replica) {
        self.http.add(replica.addr, replica.addr);
        if let (Some(balancer), Some(grpc)) = (&self.grpc, replica.grpc) {
            balancer.add(grpc, replica.addr);
        }
    }

    /// Forgets a replica.
    pub fn remove(&self, (http, grpc): (SocketAddr, Option<SocketAddr>)) {
        self.http.remove(http);
        if let (Some(balancer), Some(grpc)) = (&self.grpc, grpc) {
            balancer.remove(grpc);
        }
    }

    /// Waits until so many replicas are ready.
    ///
    /// # Errors
    /// They are not within `patience`.
    pub async fn until_ready(&self, count: usize, patience: Duration) -> Result<()> {
        self.http.until_ready(count, patience).await?;
        match &self.grpc {
            Some(balancer) => balancer.until_ready(count, patience).await,
            None => Ok(()),
        }
    }

    /// What the replicas have been given, by gRPC for payment.
    pub fn counts(&self) -> Vec<Counts> {
        self.grpc.as_ref().unwrap_or(&self.http).counts()
    }
}
