//! Where one may log in, and how.

use crate::admin::certificates::Which;
use crate::admin::{ca, entry};
use crate::console::certificates as pages;
use crate::console::trouble::Trouble;
use crate::console::users::reached;
use crate::console::visit::Visit;
use portreeve_console::pages::me::Access;
use portreeve_console::parts::Code;
use portreeve_directory::holders::Holder;

/// For users and service accounts; a local owner is on no host.
pub(super) async fn of(visit: &Visit) -> Result<Option<Access>, Trouble> {
    let Some(holder @ Holder::User { .. }) = &visit.who.holder else {
        return Ok(None);
    };
    let hosts = reached(visit, holder, "Your hosts", true).await?;
    let nowhere = entry::nowhere(&visit.app, &visit.team.id, holder, visit.admin.at).await?;
    let mut letters = nowhere.unwrap_or_default();
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let commands = match hosts.rows.first() {
        Some(first) => commands(visit, &first.name).await,
        None => Vec::new(),
    };
    let which = Which {
        user: Some(holder.id().to_owned()),
        ..Which::default()
    };
    Ok(Some(Access {
        nowhere: match letters.is_empty() {
            true => letters,
            false => format!("{letters}."),
        },
        hosts,
        commands,
        certificates: pages::of(visit, which, "yourself").await?,
    }))
}

/// How one gets a certificate, with either program.
async fn commands(visit: &Visit, host: &str) -> Vec<(&'static str, Code)> {
    let code = |text: String| Code {
        what: "commands".to_owned(),
        text,
    };
    let url = visit.app.public_url();
    let own = format!("portreeve login {url}\nportreeve ssh setup\nssh {host}");
    let mut all = vec![("With portreeve", code(own))];
    // Without an authority that can be used, nothing is said of it here; admins see why.
    if let Ok(status) = ca::status(&visit.app, &visit.admin, None).await
        && let Some(url) = status.url
    {
        let step = format!(
            "step ca bootstrap --ca-url {url} --fingerprint {}\nstep ssh config\nssh {host}",
            status.fingerprint
        );
        all.push(("With step", code(step)));
    }
    all
}
