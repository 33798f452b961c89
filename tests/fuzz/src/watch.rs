//! Stops a process in which one input takes too long.
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// What an input may take, in a debug build on a busy machine too.
const BOUND: Duration = Duration::from_secs(10);

type Current = Mutex<Option<(Instant, Vec<u8>)>>;

/// Watches the inputs of a target.
#[derive(Debug)]
pub struct Watch {
    current: Arc<Current>,
}

impl Watch {
    /// Starts to watch; it ends when this is dropped.
    pub fn start(target: &'static str) -> Watch {
        let current = Arc::new(Current::default());
        let weak = Arc::downgrade(&current);
        thread::spawn(move || look(target, &weak));
        Watch { current }
    }

    /// Runs `judge` on an input.
    pub fn run(&self, input: &[u8], judge: fn(&[u8])) {
        self.set(Some((Instant::now(), input.to_vec())));
        judge(input);
        self.set(None);
    }

    fn set(&self, to: Option<(Instant, Vec<u8>)>) {
        let mut current = self
            .current
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *current = to;
    }
}

fn look(target: &str, current: &Weak<Current>) {
    while let Some(current) = current.upgrade() {
        if let Ok(current) = current.lock()
            && let Some((start, input)) = &*current
            && Instant::now().duration_since(*start) > BOUND
        {
            let shown = String::from_utf8_lossy(input);
            eprintln!("{target}: more than {BOUND:?} for this input ({input:?}):\n{shown}");
            std::process::abort();
        }
        drop(current);
        thread::sleep(Duration::from_millis(200));
    }
}
