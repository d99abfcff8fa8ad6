//! `portreeve context`.

use crate::Global;
use crate::contexts::{self, Chosen, Contexts};
use crate::failure::{Code, Failure};
use crate::live;
use crate::output::{self, Column, Shape};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the servers that you work with
    List,
    /// Show the one that commands go to
    Current,
    /// Let commands go to a server from now on
    Use {
        /// Name of the context
        #[arg(required_unless_present = "local", add = live::contexts())]
        name: Option<String>,
        /// The server on this machine, through its socket
        #[arg(long, conflicts_with = "name")]
        local: bool,
    },
    /// Give a server a name; `login` does that by itself
    Add {
        /// Name of the context
        name: String,
        /// Address of the server
        #[arg(value_name = "URL")]
        server: String,
    },
    /// Forget a server; sign out first to end the session there
    Remove {
        /// Name of the context
        #[arg(add = live::contexts())]
        name: String,
    },
}

const SHAPE: Shape = Shape {
    columns: &[
        Column::made("CURRENT", "current", current),
        Column::text("NAME", "name"),
        Column::text("SERVER", "url"),
        Column::text("SIGNED IN", "signed_in"),
    ],
    name: "name",
};

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let mut contexts = Contexts::load()?;
    match command {
        Command::List => {
            let items: Vec<_> = contexts.all().map(|one| view(&contexts, &one)).collect();
            if items.is_empty() {
                output::say(
                    global.output,
                    "Commands go to the server on this machine. For another one: portreeve login URL",
                );
            }
            output::list(global.output, &SHAPE, &items)
        }
        Command::Current => {
            let name = contexts.current().ok_or_else(|| {
                Failure::new(
                    Code::NotFound,
                    "no context is chosen: commands go to the server on this machine",
                )
                .hint("portreeve context list shows those there are")
            })?;
            output::one(
                global.output,
                &SHAPE,
                &view(&contexts, &contexts.named(name)?),
            )
        }
        Command::Use { name, .. } => {
            let chosen = name.map(|name| contexts.named(&name)).transpose()?;
            contexts.choose(chosen.as_ref().map(|context| context.name.as_str()));
            contexts.save()?;
            let place = chosen.map_or("the server on this machine".to_owned(), |context| {
                context.url
            });
            output::say(
                global.output,
                &format!("Commands go to {place} from now on."),
            );
            Ok(())
        }
        Command::Add { name, server } => add(global, contexts, &name, &server),
        Command::Remove { name } => {
            let context = contexts.named(&name)?;
            contexts.remove(&name);
            contexts.save()?;
            output::say(global.output, &format!("{} is forgotten.", context.url));
            Ok(())
        }
    }
}

fn add(global: &Global, mut contexts: Contexts, name: &str, server: &str) -> Result<(), Failure> {
    if contexts.get(name).is_some() {
        let message = format!("there is a context with the name \"{name}\" already");
        return Err(
            Failure::new(Code::Conflict, message).hint("choose another name, or remove that one")
        );
    }
    contexts.set(name, server)?;
    contexts.save()?;
    let url = contexts::address(server)?;
    let said = format!("{url} is \"{name}\" now. Sign in with: portreeve login --context '{name}'");
    output::say(global.output, &said);
    Ok(())
}

fn view(contexts: &Contexts, context: &Chosen) -> Value {
    json!({
        "name": context.name,
        "url": context.url,
        "current": contexts.current() == Some(&context.name),
        "signed_in": context.token.is_some(),
    })
}

fn current(context: &Value) -> String {
    match context["current"] == true {
        true => "*".to_owned(),
        false => String::new(),
    }
}
