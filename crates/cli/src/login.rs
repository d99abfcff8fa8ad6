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

/// Where somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the browser of this machine.
    Browser,
    /// In one elsewhere, with a code.
    Code,
}

impl Way {
    /// In the browser where one that is opened here is seen.
    pub(crate) fn best() -> Self {
        match browser::is_there(environment::var) {
            true => Self::Browser,
            false => Self::Code,
        }
    }
}

impl Args {
    /// The server that was named.
    pub(crate) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Whether there is a token to read.
    pub(crate) fn has_token(&self) -> bool {
        self.token_stdin
    }

    pub(crate) fn way(&self) -> Way {
        match self.no_browser {
            true => Way::Code,
            false => Way::best(),
        }
    }
}

/// Where somebody has signed in, and as whom.
pub(crate) struct SignedIn {
    pub(crate) context: String,
    url: String,
    who: Value,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let SignedIn { context, url, who } = sign_in(global, args)?;
    told(
        global.output,
        &json!({"context": context, "url": url, "who": who}),
    )
}

/// Signs in and chooses the server.
pub(crate) fn sign_in(global: &Global, args: &Args) -> Result<SignedIn, Failure> {
    if global.data.is_some() {
        return Err(Failure::usage(
            "on the machine of the server the command line needs no sign-in; --data does not go with login",
        ));
    }
    let mut contexts = Contexts::load()?;
    let (name, url) = place(global, args, &contexts)?;
    if contexts::is_open_to_all(&url) && !args.insecure {
        return Err(open_to_all(&url));
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
    Ok(SignedIn {
        context: name,
        url,
        who,
    })
}

/// Signs in once more at a server that somebody works with, whichever is chosen for the commands to come.
pub(crate) fn again(name: &str, url: &str, way: Way) -> Result<SecretString, Failure> {
    let is_known = |contexts: &Contexts| contexts.get(name).is_some_and(|it| it.url == url);
    if contexts::is_open_to_all(url) && !is_known(&Contexts::load()?) {
        return Err(open_to_all(url));
    }
    let token = granted(url, way)?;
    // Somebody may have changed them meanwhile.
    let mut contexts = Contexts::load()?;
    contexts.set(name, url)?;
    contexts.sign_in(name, token.clone());
    contexts.save()?;
    Ok(token)
}

fn open_to_all(url: &str) -> Failure {
    Failure::usage(format!(
        "the connection to {url} is not encrypted: whoever listens gets your session"
    ))
    .hint("use its https:// address; if the network is yours alone, say --insecure")
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
    granted(url, args.way())
}

fn granted(url: &str, way: Way) -> Result<SecretString, Failure> {
    let oauth = Oauth::at(url)?;
    runtime::client(async {
        if way == Way::Browser {
            match loopback::sign_in(&oauth).await? {
                Some(token) => return Ok(token),
                None => eprintln!("The browser did not open."),
            }
        }
        device::sign_in(&oauth).await
    })
}
