//! The generator: connections that each keep one request under way, and a histogram of how long answers took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use crate::client::{Connection, Exchange, Target};

/// What a measurement gave.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    Requests(u64),
    Time(Duration),
}

/// Sends `make(0)`, `make(1)`, … over `connections` connections and checks every answer; `seen` gets each of them.
/// The first wrong answer ends it.
pub(crate) async fn run(
    target: &Target,
    connections: usize,
    amount: Amount,
    make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
    seen: impl Fn(u64, &Bytes) -> Result<()> + Send + Sync + 'static,
) -> Result<Measured> {
    let work = Arc::new((AtomicU64::new(0), make, seen));
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(target).await?);
    }
    let mut workers = tokio::task::JoinSet::new();
    let begun = Instant::now();
    for mut connection in open {
        let work = Arc::clone(&work);
        workers.spawn(async move {
            let (next, make, seen) = &*work;
            let mut times = Histogram::<u64>::new(3)?;
            loop {
                let number = next.fetch_add(1, Relaxed);
                let enough = match amount {
                    Amount::Requests(count) => number >= count,
                    Amount::Time(time) => begun.elapsed() >= time,
                };
                if enough {
                    return anyhow::Ok(times);
                }
                let exchange = make(number);
                let sent = Instant::now();
                let answer = connection.exchange(&exchange).await?;
                times.record(micros(sent.elapsed()))?;
                seen(number, &answer.body)?;
            }
        });
    }
    let mut times = Histogram::<u64>::new(3)?;
    while let Some(worker) = workers.join_next().await {
        times.add(worker??)?;
    }
    Ok(Measured::new(&times, begun.elapsed()))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Measured {
    /// From answer times in microseconds.
    fn new(times: &Histogram<u64>, took: Duration) -> Self {
        let milliseconds = |micros: u64| micros as f64 / 1000.0;
        Self {
            requests: times.len(),
            per_second: times.len() as f64 / took.as_secs_f64(),
            p50_ms: milliseconds(times.value_at_quantile(0.50)),
            p99_ms: milliseconds(times.value_at_quantile(0.99)),
            max_ms: milliseconds(times.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_counted_as_long() {
        let mut times = Histogram::new(3).unwrap();
        for time in [Duration::from_millis(1); 98]
            .into_iter()
            .chain([Duration::from_secs(5); 2])
        {
            times.record(micros(time)).unwrap();
        }
        let measured = Measured::new(&times, Duration::from_secs(10));
        assert_eq!((measured.requests, measured.per_second), (100, 10.0));
        assert!((measured.p50_ms - 1.0).abs() < 0.01, "{measured:?}");
        assert!((measured.p99_ms - 5000.0).abs() < 10.0, "{measured:?}");
    }
}
