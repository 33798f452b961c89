//! What a consumer tells about itself: counts, how far it is behind, signs of life, and a span for each event.

use super::ConsumerStats;
use crate::{
    clock::{Clock, SystemClock},
    envelope::Envelope,
    log::EventLog,
    telemetry::{
        Telemetry,
        metrics::{self, FEW},
        trace,
    },
};
use baedal_telemetry::{
    Span,
    metrics::{Buckets, Histogram},
    trace::Kind,
    vitals::Pulse,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

pub(super) struct Told {
    telemetry: Telemetry,
    pub pulse: Pulse,
    group: String,
    batches: Histogram,
    delays: Histogram,
}

impl Told {
    pub fn new(
        telemetry: &Telemetry,
        log: &Arc<dyn EventLog>,
        group: &str,
        topics: &[&str],
        stats: &Arc<ConsumerStats>,
    ) -> Told {
        count(telemetry, group, stats);
        watch_lag(telemetry, log, group, topics);
        let registry = telemetry.registry();
        Told {
            pulse: telemetry.pulse(format!("the consumer {group}")),
            group: group.to_owned(),
            batches: registry
                .histograms(&metrics::CONSUMER_BATCH, Buckets::REQUESTS, FEW)
                .with(&[group]),
            delays: registry
                .histograms(&metrics::CONSUMER_DELAY, Buckets::LONG, FEW)
                .with(&[group]),
            telemetry: telemetry.clone(),
        }
    }

    /// Begins a span for each event, and lets each stand for what led to it: what follows is below it in its trace.
    pub fn begin(&self, batch: &mut [Envelope]) -> Vec<Span> {
        batch
            .iter_mut()
            .filter_map(|event| self.begin_one(event))
            .collect()
    }

    fn begin_one(&self, event: &mut Envelope) -> Option<Span> {
        let parent = trace::of_event(event);
        if parent.is_none() && !self.telemetry.tracer().is_on() {
            return None;
        }
        let mut span = self.telemetry.begin("process event", Kind::Consumer, parent);
        if span.is_kept() {
            span.rename(format!("process {}", event.r#type));
            span.set("messaging.consumer.group.name", self.group.clone());
            span.set("messaging.message.id", event.id.to_string());
            span.set("messaging.message.conversation_id", event.correlation_id.clone());
        }
        event.traceparent = Some(span.context().to_string());
        Some(span)
    }

    /// The batch in its traces.
    pub async fn within<T>(&self, batch: &[Envelope], work: impl Future<Output = T>) -> T {
        trace::within_batch(self.telemetry.tracer(), batch, work).await
    }

    pub fn applied(&self, batch: &[Envelope], took: Duration) {
        self.batches.took(took);
        let now = SystemClock.now_ms();
        for event in batch {
            let age = u64::try_from(now - event.time).unwrap_or(0);
            self.delays.took(Duration::from_millis(age));
        }
    }
}

fn count(telemetry: &Telemetry, group: &str, stats: &Arc<ConsumerStats>) {
    let registry = telemetry.registry();
    let (seen, name) = (Arc::clone(stats), group.to_owned());
    registry.read(&metrics::CONSUMER_EVENTS, move |out| {
        for (outcome, count) in [
            ("handled", &seen.handled),
            ("skipped", &seen.skipped),
            ("repeated", &seen.repeated),
        ] {
            out.value(&[&name, outcome], count.load(Ordering::Relaxed) as f64);
        }
    });
    let (seen, name) = (Arc::clone(stats), group.to_owned());
    registry.read(&metrics::CONSUMER_DEAD, move |out| {
        out.value(&[&name], seen.dead.load(Ordering::Relaxed) as f64);
    });
    let (seen, name) = (Arc::clone(stats), group.to_owned());
    registry.read(&metrics::CONSUMER_RETRIES, move |out| {
        out.value(&[&name], seen.retries.load(Ordering::Relaxed) as f64);
    });
}

fn watch_lag(telemetry: &Telemetry, log: &Arc<dyn EventLog>, group: &str, topics: &[&str]) {
    let gauge = telemetry
        .registry()
        .gauges(&metrics::CONSUMER_LAG, FEW)
        .with(&[group]);
    // Until the log has told, nothing is known.
    gauge.set(f64::NAN);
    let (log, group) = (Arc::clone(log), Arc::<str>::from(group));
    let topics: Arc<[String]> = topics.iter().map(|topic| (*topic).to_owned()).collect();
    telemetry.on_read(move || {
        let (log, group, topics, gauge) = (log.clone(), group.clone(), topics.clone(), gauge.clone());
        async move {
            let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
            let lag = log.lag(&group, &topics).await.ok().flatten();
            gauge.set(lag.map_or(f64::NAN, |lag| lag as f64));
        }
    });
}
