//! `portreeve serve`.

use crate::failure::Failure;
use crate::output;
use crate::runtime::{self, Signals};
use crate::settings::{self, Flags};
use crate::{Global, environment};
use portreeve_server::{Config, Running, SystemClock};
use secrecy::ExposeSecret;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if global.url.is_some() {
        return Err(Failure::usage(
            "--url names a server that runs already; to set how clients reach this one, use --public-url",
        ));
    }
    let values = settings::gather(global, &args.flags)?;
    let config = Config::from_values(&values, environment::var).map_err(Failure::usage)?;
    settings::start_log(&values)?;
    runtime::server()?.block_on(async {
        let mut signals = Signals::catch()?;
        let public_url = config.public_url.clone();
        let server = portreeve_server::start(config, Arc::new(SystemClock))
            .await
            .map_err(Failure::plain)?;
        let public = public_url
            .map(|url| format!(", for clients {url}"))
            .unwrap_or_default();
        let certifying = server
            .ca_url()
            .map(|url| format!(", certificate authority {url}"))
            .unwrap_or_default();
        let metrics = server
            .metrics_url()
            // Programs look for the one address that clients use.
            .map(|url| format!(", metrics at {}", url.trim_start_matches("http://")))
            .unwrap_or_default();
        tracing::info!(
            "portreeve is ready: http://{}{public}{certifying}{metrics} (local socket {})",
            server.address(),
            server.socket().display()
        );
        invite(&server).await?;
        signals.next().await;
        runtime::stop(server, signals).await
    })
}

/// Tells whoever started the server how to come in, as long as nobody can. Not in the log, because it is a secret.
async fn invite(server: &Running) -> Result<(), Failure> {
    match server.first_owner().await.map_err(Failure::plain)? {
        Some(url) => output::print(&format!(
            "Sign in as the first owner (once, within 15 minutes): {}\nAnother link: portreeve owner link\n",
            url.expose_secret()
        )),
        None => Ok(()),
    }
}
