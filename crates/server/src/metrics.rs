//! What a monitoring system is told: `GET /metrics`, in the text form of OpenMetrics, which Prometheus reads.
//!
//! It has a listener of its own, on the loopback unless somebody says otherwise: the figures tell strangers how much a company
//! does. Names and labels are of this list, never of data, so that their number is bounded.

mod process;

use crate::hosts;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};
use portreeve_store::{Stats, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The media type of [OpenMetrics](https://github.com/prometheus/OpenMetrics).
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The limits of what an answer takes that are counted apart, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// What is measured of one server.
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<Answered, Counter>,
    seconds: Family<At, Histogram, fn() -> Histogram>,
    under_way: Gauge,
}

/// An answer, as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    area: &'static str,
    code: u64,
}

/// What part of the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    area: &'static str,
}

/// A request under way.
pub(crate) struct Asked {
    metrics: Arc<Metrics>,
    area: &'static str,
    /// By the steady clock.
    begun: Duration,
}

impl Metrics {
    /// `at` is when the server started (microseconds since 1970 UTC).
    pub(crate) fn new(store: Store, at: i64) -> Self {
        let mut registry = Registry::default();
        let version = ("version", env!("CARGO_PKG_VERSION"));
        registry.register("portreeve_build", "The program", Info::new([version]));
        let answers = Family::default();
        registry.register(
            "portreeve_http_requests",
            "Requests that were answered",
            answers.clone(),
        );
        let seconds: Family<At, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(
            "portreeve_http_request_duration_seconds",
            "How long answers took, but for those that are held until there is news",
            seconds.clone(),
        );
        let under_way = Gauge::default();
        registry.register(
            "portreeve_http_requests_under_way",
            "Requests that are not answered yet, with those that are held until there is news",
            under_way.clone(),
        );
        registry.register_collector(Box::new(OfStore(store)));
        registry.register_collector(Box::new(process::Process::since(at)));
        Self {
            registry,
            answers,
            seconds,
            under_way,
        }
    }

    /// A request has come.
    pub(crate) fn asked(self: &Arc<Self>, area: &'static str, begun: Duration) -> Asked {
        self.under_way.inc();
        Asked {
            metrics: self.clone(),
            area,
            begun,
        }
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Asked {
    /// It is answered, but for the body.
    pub(crate) fn answered(self, status: StatusCode, now: Duration) {
        let area = self.area;
        let code = u64::from(status.as_u16());
        self.metrics
            .answers
            .get_or_create(&Answered { area, code })
            .inc();
        if area != WAIT {
            let took = now.saturating_sub(self.begun).as_secs_f64();
            let seconds = &self.metrics.seconds;
            seconds.get_or_create(&At { area }).observe(took);
        }
    }
}

/// Whoever asked may go away before there is an answer.
impl Drop for Asked {
    fn drop(&mut self) {
        self.metrics.under_way.dec();
    }
}

/// Requests that are held until there is news.
const WAIT: &str = "wait";

/// What part of the server a request is for. `is_secured`: it came over TLS of our own.
pub(crate) fn area(path: &str, is_secured: bool, is_held: bool) -> &'static str {
    if is_held {
        return WAIT;
    }
    if is_secured {
        return match path.starts_with(hosts::ROOT) {
            true => "host",
            false => "step",
        };
    }
    match path.split('/').nth(1).unwrap_or_default() {
        "scim" => "scim",
        "api" => "api",
        "console" | "assets" => "console",
        "auth" => "auth",
        "visit" => "reception",
        "healthz" | "readyz" | "metrics" => "health",
        _ => "other",
    }
}

/// The page for whoever collects.
pub(crate) fn router(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                "there is nothing but /metrics here\n",
            )
        })
        .with_state(metrics)
}

async fn show(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What the database has done.
struct OfStore(Store);

impl fmt::Debug for OfStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OfStore").field(&self.0.stats()).finish()
    }
}

impl Collector for OfStore {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, count) in counted(&stats) {
            tell(&mut encoder, name, help, &ConstCounter::new(count))?;
        }
        tell(
            &mut encoder,
            "portreeve_store_writes_queued",
            "Write transactions that wait or run",
            &ConstGauge::new(stats.queued as f64),
        )?;
        for (name, help, longest) in longest(&stats) {
            let seconds = ConstGauge::new(longest.as_secs_f64());
            tell(&mut encoder, name, help, &seconds)?;
        }
        Ok(())
    }
}

fn counted(stats: &Stats) -> [(&'static str, &'static str, u64); 5] {
    [
        (
            "portreeve_store_commits",
            "Commits; each is a flush to disk",
            stats.commits,
        ),
        (
            "portreeve_store_writes",
            "Write transactions that were committed, alone or together",
            stats.writes,
        ),
        (
            "portreeve_store_rollbacks",
            "Write transactions that were rolled back or refused",
            stats.rolled_back,
        ),
        (
            "portreeve_store_statements",
            "Statements that were run",
            stats.statements,
        ),
        (
            "portreeve_store_checkpoints",
            "How often the log was carried over into the database file",
            stats.checkpoints,
        ),
    ]
}

fn longest(stats: &Stats) -> [(&'static str, &'static str, Duration); 3] {
    [
        (
            "portreeve_store_longest_commit_seconds",
            "The longest commit since the start",
            stats.longest_commit,
        ),
        (
            "portreeve_store_longest_transaction_seconds",
            "The longest that one write transaction held up all others since the start",
            stats.longest_work,
        ),
        (
            "portreeve_store_longest_checkpoint_seconds",
            "The longest checkpoint since the start",
            stats.longest_checkpoint,
        ),
    ]
}

/// Tells one metric that stands for itself.
fn tell(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::area;

    #[test]
    fn what_a_request_is_for_shows_in_its_path() {
        for (path, is_secured, is_held, expected) in [
            ("/scim/d/v2/Users", false, false, "scim"),
            ("/api/v1/changes", false, true, "wait"),
            ("/api/v1/events", false, false, "api"),
            ("/assets/console.css", false, false, "console"),
            ("/visit/door/state", false, false, "reception"),
            ("/healthz", false, false, "health"),
            ("/ssh/sign", true, false, "step"),
            ("/host/v1/report", true, false, "host"),
            ("/host/v1/policy", true, true, "wait"),
            ("/robots.txt", false, false, "other"),
            ("", false, false, "other"),
        ] {
            assert_eq!(area(path, is_secured, is_held), expected, "{path}");
        }
    }
}
