//! `portreeve logout`.

use crate::client::Target;
use crate::contexts::Contexts;
use crate::failure::{Code, Failure};
use crate::output;
use crate::{Global, login, runtime, ssh};
use secrecy::ExposeSecret;

/// How tokens begin whose session ends with them; API tokens are for more than one command line.
const SESSION: &str = "prv_cli_";

pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    let mut contexts = Contexts::load()?;
    let name = match Target::of(global)? {
        Target::Context(context) => context.name,
        Target::Remote(url, _) => contexts
            .all()
            .find(|context| crate::contexts::address(&url).is_ok_and(|url| url == context.url))
            .map(|context| context.name)
            .ok_or_else(|| {
                Failure::new(Code::NotSignedIn, format!("you are not signed in to {url}"))
            })?,
        Target::Local(_) => {
            return Err(Failure::usage(
                "on the machine of the server nobody is signed in: the socket is enough",
            )
            .hint("to sign out elsewhere, say where: portreeve logout --context NAME"));
        }
    };
    // Not with a token of the environment, which is not this context's.
    let context = contexts.named(&name)?;
    let Some(token) = context.token else {
        let message = format!("you are not signed in to {}", context.url);
        return Err(Failure::new(Code::NotSignedIn, message));
    };
    contexts.sign_out(&name);
    contexts.save()?;
    ssh::forget(global)?;
    if token.expose_secret().starts_with(SESSION) {
        runtime::client(login::revoke(&context.url, &token)).map_err(|failure| {
            failure.hint("the token is forgotten here, but the session lives on at the server; end it in the console, or with: portreeve session end")
        })?;
    }
    output::say(global.output, &format!("Signed out of {}.", context.url));
    Ok(())
}
