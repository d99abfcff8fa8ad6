//! Values for completions in the shell, from the server that the command is for: quick, and silent when it does not answer.

use crate::client::Api;
use crate::contexts::Contexts;
use crate::failure::Failure;
use crate::output::{Format, harmless, plain};
use crate::scope::Scope;
use crate::{Global, runtime};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use portreeve_directory::Permission;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// Nobody waits longer at a prompt.
const PATIENCE: Duration = Duration::from_millis(700);
/// More than these are of no help.
const MOST: &str = "50";

/// What a value is the name of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Directory,
    User,
    Group,
    Team,
    ServiceAccount,
    Host,
    Grant,
    VisitLocation,
}

pub(crate) fn directories() -> ArgValueCompleter {
    of(Kind::Directory)
}

pub(crate) fn users() -> ArgValueCompleter {
    of(Kind::User)
}

pub(crate) fn groups() -> ArgValueCompleter {
    of(Kind::Group)
}

pub(crate) fn teams() -> ArgValueCompleter {
    of(Kind::Team)
}

pub(crate) fn service_accounts() -> ArgValueCompleter {
    of(Kind::ServiceAccount)
}

pub(crate) fn hosts() -> ArgValueCompleter {
    of(Kind::Host)
}

pub(crate) fn grants() -> ArgValueCompleter {
    of(Kind::Grant)
}

pub(crate) fn visit_locations() -> ArgValueCompleter {
    of(Kind::VisitLocation)
}

/// Contexts need no server.
pub(crate) fn contexts() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let begun = begun.to_string_lossy();
        let all = Contexts::load().map(|contexts| contexts.all().collect::<Vec<_>>());
        let named = all.unwrap_or_default().into_iter();
        let fitting = named.filter(|context| context.name.starts_with(&*begun));
        fitting
            .map(|context| CompletionCandidate::new(context.name).help(Some(context.url.into())))
            .collect::<Vec<_>>()
    })
}

/// Permissions are the same everywhere. Of several with commas between them it is the last.
pub(crate) fn permissions() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let begun = begun.to_string_lossy();
        let (given, last) = match begun.rsplit_once(',') {
            Some((given, last)) => (format!("{given},"), last),
            None => (String::new(), &*begun),
        };
        let fitting = Permission::ALL
            .iter()
            .filter(|one| one.name().starts_with(last));
        fitting
            .map(|one| {
                CompletionCandidate::new(format!("{given}{}", one.name()))
                    .help(Some(one.meaning().into()))
            })
            .collect::<Vec<_>>()
    })
}

fn of(kind: Kind) -> ArgValueCompleter {
    ArgValueCompleter::new(move |begun: &OsStr| {
        let begun = begun.to_string_lossy().into_owned();
        let (global, scope) = typed(std::env::args().skip_while(|word| word != "--").skip(1));
        let asked = runtime::client(async {
            let asked = tokio::time::timeout(PATIENCE, ask(&global, &scope, kind, &begun)).await;
            asked.unwrap_or_else(|_| Ok(Vec::new()))
        });
        asked.unwrap_or_default()
    })
}

async fn ask(
    global: &Global,
    scope: &Scope,
    kind: Kind,
    begun: &str,
) -> Result<Vec<CompletionCandidate>, Failure> {
    let api = Api::open(global)?;
    let begins = |attribute: &str| format!("{attribute} sw {}", Value::from(begun));
    let (items, name, help) = match kind {
        Kind::Directory => (api.list(&["directories"], &[]).await?, "name", "provider"),
        Kind::Team => (api.list(&["teams"], &[]).await?, "name", ""),
        Kind::ServiceAccount => (
            api.list(&["service-accounts"], &[]).await?,
            "name",
            "status",
        ),
        Kind::Host => {
            let query = [("count", MOST), ("search", begun)];
            (api.list(&["hosts"], &query).await?, "name", "")
        }
        Kind::Grant => {
            let query = [("count", MOST)];
            (api.list(&["grants"], &query).await?, "id", "hosts")
        }
        Kind::VisitLocation => (api.list(&["visit-locations"], &[]).await?, "name", ""),
        Kind::User => {
            let filter = begins("userName");
            let found = of_directory(&api, scope, "users", &filter, begun).await?;
            (found, "user_name", "display_name")
        }
        Kind::Group => {
            let filter = begins("displayName");
            let found = of_directory(&api, scope, "groups", &filter, begun).await?;
            (found, "display_name", "")
        }
    };
    // The server compares without regard to case; a shell keeps only what goes on from what was typed.
    let begins = |item: &&Value| {
        let name = item[name].as_str().unwrap_or_default();
        name.to_lowercase().starts_with(&begun.to_lowercase())
    };
    let candidate = |item: &Value| {
        let help = harmless(&plain(&item[help]));
        let help = Some(help).filter(|help| !help.is_empty());
        CompletionCandidate::new(harmless(&plain(&item[name]))).help(help.map(Into::into))
    };
    Ok(items.iter().filter(begins).map(candidate).collect())
}

async fn of_directory(
    api: &Api,
    scope: &Scope,
    path: &str,
    filter: &str,
    begun: &str,
) -> Result<Vec<Value>, Failure> {
    let directory = scope.resolve(api).await?;
    let mut query = vec![("count", MOST)];
    if !begun.is_empty() {
        query.push(("filter", filter));
    }
    api.list(&["directories", &directory, path], &query).await
}

/// Which server and directory the words of an unfinished command are about.
fn typed(words: impl Iterator<Item = String>) -> (Global, Scope) {
    let mut global = Global {
        output: Format::default(),
        data: None,
        url: None,
        context: None,
    };
    let mut scope = Scope { directory: None };
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word, words.peek().cloned()),
        };
        match flag.as_str() {
            "--data" => global.data = value.map(PathBuf::from),
            "--url" => global.url = value,
            "--context" => global.context = value,
            "-d" | "--directory" => scope.directory = value,
            _ => {}
        }
    }
    (global, scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_says_which_server_and_directory() {
        let line = "portreeve user get --data=/x -d Contoso ada --context a";
        let (global, scope) = typed(line.split(' ').map(str::to_owned));
        assert_eq!(global.data, Some(PathBuf::from("/x")));
        assert_eq!(scope.directory.as_deref(), Some("Contoso"));
        assert_eq!((global.url, global.context.as_deref()), (None, Some("a")));
    }
}
