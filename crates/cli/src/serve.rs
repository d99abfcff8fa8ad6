//! `portreeve serve`.

use crate::failure::Failure;
use crate::runtime::{self, Signals};
use crate::settings::{self, Flags};
use crate::{Global, environment};
use portreeve_server::{Config, SystemClock};
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
        tracing::info!(
            "portreeve is ready: http://{}{public} (local socket {})",
            server.address(),
            server.socket().display()
        );
        signals.next().await;
        runtime::stop(server, signals).await
    })
}
