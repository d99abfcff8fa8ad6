//! `portreeve login`: signs in at a server, and chooses it for the commands to come.

mod browser;
mod device;
mod loopback;
mod oauth;

use crate::Global;
use crate::client::Api;
use crate::contexts::{self, Contexts};
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape, plain};
use crate::{environment, runtime};
use oauth::Oauth;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::stdin;

pub(crate) use oauth::revoke;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without a browser on this machine, or over SSH, a code is shown that you write into a browser elsewhere."
)]
pub(crate) struct Args {
    /// Address of the server [default: that of the context]
    #[arg(value_name = "URL")]
    server: Option<String>,
    /// Do not open a browser; show a code for one elsewhere
    #[arg(long)]
    no_browser: bool,
    /// Read an API token from standard input instead
    #[arg(long, conflicts_with = "no_browser")]
    token_stdin: bool,
    /// Sign in over a connection that is not encrypted
    #[arg(long)]
    insecure: bool,
}

const SIGNED_IN: Shape = Shape {
    columns: &[
        Column::text("Signed in as", "who.name"),
        Column::text("Level", "who.level"),
        Column::text("Team", "who.team"),
        Column::text("Server", "url"),
        Column::text("Context", "context"),
    ],
    name: "context",
};

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if global.data.is_some() {
        return Err(Failure::usage(
            "on the machine of the server the command line needs no sign-in; --data does not go with login",
        ));
    }
    let mut contexts = Contexts::load()?;
    let (name, url) = place(global, args, &contexts)?;
    if contexts::is_open_to_all(&url) && !args.insecure {
        return Err(Failure::usage(format!(
            "the connection to {url} is not encrypted: whoever listens gets your session"
        ))
        .hint("use its https:// address; if the network is yours alone, say --insecure"));
    }
    // Before somebody signs in for nothing.
    contexts.set(&name, &url)?;
    let token = token(args, &url)?;
    let who = runtime::client(async {
        let api = Api::remote(&url, Some(token.clone()), None)?;
        api.get(&["me"], &[]).await
    })?;
    contexts.sign_in(&name, token);
    contexts.choose(Some(&name));
    contexts.save()?;
    told(
        global.output,
        &json!({"context": name, "url": url, "who": who}),
    )
}

fn told(format: Format, signed_in: &Value) -> Result<(), Failure> {
    output::one(format, &SIGNED_IN, signed_in)?;
    let name = output::harmless(&plain(&signed_in["context"]));
    output::say(
        format,
        &format!(
            "\nCommands go to this server from now on; back to the one on this machine: portreeve context use --local\nSign out: portreeve logout --context '{name}'"
        ),
    );
    Ok(())
}

/// The context that is signed in to, and its address.
fn place(global: &Global, args: &Args, contexts: &Contexts) -> Result<(String, String), Failure> {
    let given = args.server.clone().or_else(|| global.url.clone());
    let wanted = global.context.clone();
    let Some(url) = given else {
        let named = wanted
            .clone()
            .or_else(|| environment::var("PORTREEVE_CONTEXT"));
        let named = match (named, environment::var("PORTREEVE_URL")) {
            (None, Some(url)) => return Ok((host(&url)?, contexts::address(&url)?)),
            (named, _) => named.or_else(|| contexts.current().map(str::to_owned)),
        };
        let name = named.ok_or_else(|| {
            Failure::usage("which server?")
                .hint("say it: portreeve login https://portreeve.example.com")
        })?;
        return contexts
            .named(&name)
            .map(|context| (context.name, context.url));
    };
    let url = contexts::address(&url)?;
    let name = match wanted {
        Some(name) => name,
        // Signing in again at a server that has a name keeps the name.
        None => match contexts.all().find(|context| context.url == url) {
            Some(context) => context.name,
            None => host(&url)?,
        },
    };
    Ok((name, url))
}

/// What a context is called that nobody has given a name.
fn host(url: &str) -> Result<String, Failure> {
    let url = contexts::address(url)?;
    let url = Url::parse(&url).map_err(Failure::usage)?;
    let host = url.host_str().unwrap_or_default();
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn token(args: &Args, url: &str) -> Result<SecretString, Failure> {
    if args.token_stdin {
        let mut line = String::new();
        stdin().read_line(&mut line).map_err(Failure::plain)?;
        let token = line.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage(
                "standard input has no token in its first line",
            ));
        }
        return Ok(SecretString::from(token));
    }
    let oauth = Oauth::at(url)?;
    runtime::client(async {
        if !args.no_browser && browser::is_there(environment::var) {
            match loopback::sign_in(&oauth).await? {
                Some(token) => return Ok(token),
                None => eprintln!("The browser did not open."),
            }
        }
        device::sign_in(&oauth).await
    })
}
