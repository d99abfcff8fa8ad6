//! How a directory is connected, whether its provider can reach this server, and what it asked lately.

use super::guide::{self, Progress};
use super::{detail, head};
use crate::admin::directories::DirectoryDetail;
use crate::admin::probe::{self, Probed};
use crate::console::attention;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use crate::requests::{KEPT, Seen};
use crate::sso::doctor::{Step, Verdict};
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::directories::{
    Connect, Probe, ProbeStep, Request, Requests, Verdict as Shown,
};
use portreeve_console::parts::{Alert, Badge, Copyable, Link, PostButton, Tone};
use portreeve_directory::Permission;
use portreeve_directory::directories::{self as model, Provider};

/// The first page of a directory.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        if detail.directory.provider == Provider::Native {
            return Ok(super::rules_response(&visit, &detail));
        }
        Ok(visit.page(&page(&visit, &detail, None).await?))
    };
    visit.or_trouble(shown.await)
}

/// Tests the connection, and shows what came of it.
pub(in crate::console) async fn test(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        let probed = probe::test(&visit.app, &visit.admin, &detail.directory.id).await?;
        Ok(visit.page(&page(&visit, &detail, Some(found(&probed))).await?))
    };
    visit.or_trouble(shown.await)
}

async fn page(
    visit: &Visit,
    detail: &DirectoryDetail,
    probe: Option<Probe>,
) -> Result<Connect, Trouble> {
    let view = &detail.directory;
    let head = head(visit, detail);
    let people = detail.counts.active_users + detail.counts.suspended_users > 0;
    let progress = match (view.last_request_at, people) {
        (None, _) => Progress::Made,
        (Some(_), false) => Progress::Heard,
        (Some(_), true) => Progress::Arrived,
    };
    let (id, now) = (view.id.clone(), visit.admin.at);
    let attention = visit.read(move |tx| {
        let directory = model::by_id(tx, &id)?;
        let mut alerts = Vec::new();
        attention::of_directory(tx, &directory, now, &mut alerts)?;
        Ok(alerts)
    });
    Ok(Connect {
        shell: visit.shell(),
        attention: attention.await?,
        heading: match view.provider {
            Provider::Generic => "Connect your provider".to_owned(),
            _ => format!("Connect {}", head.provider),
        },
        steps: guide::steps(view.provider, progress, &head.href),
        tenant_url: Copyable::new("tenant URL", view.tenant_url.clone().unwrap_or_default()),
        mappings: guide::mappings(view.provider),
        test: visit.may(Permission::TokenWrite).then(|| PostButton {
            action: head.href.clone().join("test").at("test"),
            label: "Test the connection".to_owned(),
            values: Vec::new(),
            class: "primary",
        }),
        probe,
        unknown: detail.unknown_attributes.clone(),
        head,
    })
}

/// What a test found, for a page.
fn found(probed: &Probed) -> Probe {
    let summary = match probed.verdict {
        Verdict::Ok => Alert::new(
            Tone::Good,
            "A provider can connect",
            "Every question was answered as a provider expects it.",
        ),
        Verdict::Warn => Alert::new(
            Tone::Warn,
            "A provider may be able to connect",
            "Every question was answered; look at what is marked.",
        ),
        Verdict::Fail => Alert::new(
            Tone::Bad,
            "A provider cannot connect",
            "Mend what failed, and test again.",
        ),
    };
    Probe {
        summary,
        steps: probed.steps.iter().map(step).collect(),
    }
}

/// A step of a test or of the doctor, for a page.
pub(super) fn step(step: &Step) -> ProbeStep {
    let label = match step.name {
        "address" => "Address",
        "users" => "Users",
        "groups" => "Groups",
        "metadata" => "Metadata",
        "issuer" => "Issuer",
        "keys" => "Keys",
        "clock" => "Clock",
        "redirect_uri" => "Redirect URI",
        "client" => "Client",
        "matching" => "Matching",
        other => other,
    };
    ProbeStep {
        label: label.to_owned(),
        verdict: match step.verdict {
            Verdict::Ok => Shown::Good,
            Verdict::Warn => Shown::Doubtful,
            Verdict::Fail => Shown::Failed,
        },
        found: step.sentence.clone(),
        remedy: step.remedy.clone().unwrap_or_default(),
    }
}

/// The latest requests.
pub(in crate::console) async fn requests(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        let rows = visit.app.requests.of(&detail.directory.id);
        let may_read = visit.may(Permission::EventRead);
        let head = head(&visit, &detail);
        Ok(visit.page(&Requests {
            shell: visit.shell(),
            head,
            rows: rows.iter().map(|seen| request(seen, may_read)).collect(),
            kept: KEPT,
        }))
    };
    visit.or_trouble(shown.await)
}

fn request(seen: &Seen, may_read: bool) -> Request {
    let tone = match seen.status.as_u16() {
        ..400 => Tone::Good,
        // Providers look for what is not there yet; that is no failure.
        404 => Tone::Neutral,
        400..500 => Tone::Warn,
        _ => Tone::Bad,
    };
    let reads = seen.status.is_success() && seen.method == http::Method::GET;
    let label = match seen.status.is_success() {
        true => "What it changed",
        false => "Why",
    };
    let micros = seen.took.as_micros();
    Request {
        id: seen.request_id.clone(),
        at: time(seen.at),
        method: seen.method.to_string(),
        path: seen.path.clone(),
        query: seen.query.clone(),
        status: Badge::new(tone, seen.status.to_string()),
        took: match micros {
            ..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
            _ => format!("{} ms", micros / 1000),
        },
        events: (may_read && !reads).then(|| {
            let logs = Address::new("/console/logs").with("request", seen.request_id.clone());
            Link::new(label, logs)
        }),
    }
}
