//! Word that a list has changed, for connections that stay open.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, StreamExt, unfold};
use tokio::sync::watch;

/// Rings when a list of an issuer has changed.
#[derive(Debug, Clone)]
pub struct Bell(Arc<watch::Sender<()>>);

/// Hears it.
pub struct Alarm(Option<BoxStream<'static, ()>>);

impl Default for Bell {
    fn default() -> Bell {
        Bell(Arc::new(watch::Sender::new(())))
    }
}

impl Bell {
    /// Wakes all who hear it.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// An alarm that has rung once: something may have changed since whoever asks let somebody in.
    pub fn alarm(&self) -> Alarm {
        let mut receiver = self.0.subscribe();
        receiver.mark_changed();
        let rings = unfold(receiver, |mut receiver| async move {
            let rung = receiver.changed().await;
            rung.is_ok().then_some(((), receiver))
        });
        Alarm(Some(rings.boxed()))
    }
}

impl Alarm {
    /// One that never rings.
    pub fn never() -> Alarm {
        Alarm(None)
    }

    /// Ready once for each ring, or for several at once.
    pub fn poll_rung(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rings) = &mut self.0 else {
            return Poll::Pending;
        };
        match rings.poll_next_unpin(cx) {
            Poll::Ready(Some(())) => Poll::Ready(()),
            Poll::Ready(None) => {
                self.0 = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_first_and_with_each_change() {
        let bell = Bell::default();
        let mut alarm = bell.alarm();
        let mut rung = || poll_fn(|cx| alarm.poll_rung(cx)).now_or_never().is_some();
        assert!(rung() && !rung());
        bell.ring();
        bell.ring();
        assert!(rung() && !rung());
        drop(bell);
        assert!(!rung());
        assert!(
            poll_fn(|cx| Alarm::never().poll_rung(cx))
                .now_or_never()
                .is_none()
        );
    }
}
