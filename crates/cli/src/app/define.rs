//! `portreeve app create`, `list`, `get`, `update`, `delete`, `export` and `import`: definitions, in files and in a server.

use super::file::{self, File};
use super::starter::{self, Mappings, Source};
use super::{Place, Which, shapes, template};
use crate::Global;
use crate::client::Api;
use crate::confirm::confirm;
use crate::environment;
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use clap::Args;
use portreeve_provisioning::application::{Template, document, mappings, secrets};
use portreeve_provisioning::target::private_host;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    which: Which,
    /// For the server: the definition to make the application from
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// For the server: team that it belongs to
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// For a file: mappings to begin with: smallstep, strongdm, sign-in-enterprise, generic, portreeve
    #[arg(long, value_parser = template, default_value_t = Template::Generic)]
    template: Template,
    /// For a file: where people come from
    #[arg(long, value_enum, default_value_t = Source::Csv)]
    source: Source,
    /// For a file: the tenant URL of the target
    #[arg(long, value_name = "URL")]
    tenant_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Name or id of an application of the server
    #[arg(value_name = "NAME")]
    app: String,
    /// The new definition, as a whole: what it does not say any more is gone. Only a secret that it leaves out stays what it
    /// is
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// New name, in place of the one in the file
    #[arg(long, value_name = "NEW")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A synchronizationSchema of Microsoft Graph as JSON, from "Download" in the schema editor or from the API
    #[arg(value_name = "SCHEMA")]
    schema: PathBuf,
    /// Definition file to write, or application of the server that gets the mappings
    #[arg(value_name = "FILE|NAME")]
    app: String,
}

pub(super) async fn create(global: &Global, args: &Create) -> Result<(), Failure> {
    match (args.which.place(global)?, &args.from) {
        (Place::File(path), None) => {
            let url = args.tenant_url.as_deref();
            let mappings = Mappings::Template(args.template);
            write_new(&path, &starter::text(&stem(&path), args.source, &mappings, url))?;
            written(global, &path);
            if let Some(what) = url.and_then(private_host) {
                let text = format!(
                    "note: the target is {what}, so allow_private_addresses = true is written, too"
                );
                output::say(global.output, &text);
            }
            Ok(())
        }
        (Place::File(path), Some(_)) => Err(Failure::usage(format!(
            "--from makes an application on the server, and {} is the name of a file",
            path.display()
        ))
        .hint("give the application a name without .toml")),
        (Place::Server(..), None) => Err(Failure::usage(
            "an application on the server is made from a definition",
        )
        .hint(format!(
            "say which one with --from FILE; portreeve app create '{}.toml' writes one to begin with",
            args.which.app
        ))),
        (Place::Server(api, name), Some(from)) => {
            let mut body = for_server(from)?;
            body["name"] = json!(name);
            if let Some(team) = &args.team {
                body["team"] = json!(team);
            }
            let made = api.post(&["applications"], &body).await?;
            output::one(global.output, &shapes::ONE, &made)
        }
    }
}

pub(super) async fn list(global: &Global, team: Option<&str>) -> Result<(), Failure> {
    let query: Vec<_> = team.map(|team| ("team", team)).into_iter().collect();
    let items = Api::open(global)?.list(&["applications"], &query).await?;
    if items.is_empty() {
        output::say(
            global.output,
            "There is no application yet. Write a definition with: portreeve app create NAME.toml",
        );
    }
    output::list(global.output, &shapes::LIST, &items)
}

pub(super) async fn get(global: &Global, which: &Which) -> Result<(), Failure> {
    let shown = match which.place(global)? {
        Place::File(path) => {
            let file = File::open(&path)?;
            let mut definition = file::document(&path)?;
            secrets::take(&mut definition);
            json!({
                "name": file.application.name,
                "source": definition["source"]["type"],
                "target": definition["target"]["url"],
                "definition": definition,
            })
        }
        Place::Server(api, app) => api.get(&["applications", &app], &[]).await?,
    };
    output::one(global.output, &shapes::ONE, &shown)
}

pub(super) async fn update(global: &Global, args: &Update) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let mut body = for_server(&args.from)?;
    if let Some(name) = &args.name {
        body["name"] = json!(name);
    }
    let before = api.get(&["applications", &args.app], &[]).await?["name"].take();
    let changed = api.put(&["applications", &args.app], &body).await?;
    if changed["name"] != before {
        let names = [&before, &changed["name"]].map(|name| output::harmless(&output::plain(name)));
        let [before, now] = names;
        output::say(
            global.output,
            &format!("note: {before} is called {now} now"),
        );
    }
    output::one(global.output, &shapes::ONE, &changed)
}

pub(super) async fn delete(global: &Global, which: &Which, yes: bool) -> Result<(), Failure> {
    let place = which.place(global)?;
    let name = output::harmless(&which.app);
    if !yes {
        confirm(&format!(
            "what {name} remembers will be lost: its links, its cycles and its log; nothing is changed at the target"
        ))?;
    }
    match place {
        Place::File(path) => {
            let state = file::state(&path);
            match fs::remove_dir_all(&state) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let folder = state.display();
                    return Err(Failure::plain(format!(
                        "the folder {folder} cannot be removed: {error}"
                    )));
                }
            }
        }
        Place::Server(api, app) => {
            api.delete(&["applications", &app]).await?;
        }
    }
    output::say(
        global.output,
        &format!("{name} remembers nothing any more."),
    );
    Ok(())
}

pub(super) async fn export(
    global: &Global,
    which: &Which,
    with_mappings: bool,
) -> Result<(), Failure> {
    let (mut definition, folder) = match which.place(global)? {
        Place::File(path) => (file::document(&path)?, file::home(&path).folder),
        Place::Server(api, app) => {
            let exported = api.get(&["applications", &app, "export"], &[]).await?;
            (exported, PathBuf::new())
        }
    };
    if with_mappings {
        mappings::spell_out(&mut definition, &folder)
            .map_err(|error| Failure::usage(format!("{}: {error}", which.app)))?;
    }
    let left_out = secrets::take(&mut definition);
    for setting in left_out.keys() {
        output::say(
            global.output,
            &format!("note: the secret {setting} is left out"),
        );
    }
    match global.output {
        Format::Table => output::print(&document::to_toml(&definition).map_err(Failure::plain)?),
        format => output::one(format, &shapes::ONE, &definition),
    }
}

pub(super) async fn import(global: &Global, args: &Import) -> Result<(), Failure> {
    let read = mappings::read_file(&args.schema).map_err(Failure::usage)?;
    for note in &read.notes {
        output::say(global.output, &format!("note: {note}"));
    }
    let mapped = json!({"mappings": read.set.object_mappings});
    let which = Which {
        app: args.app.clone(),
    };
    match which.place(global)? {
        Place::File(path) => {
            let here = document::to_toml(&mapped).map_err(Failure::plain)?;
            let text = starter::text(&stem(&path), Source::Graph, &Mappings::Here(&here), None);
            write_new(&path, &text)?;
            written(global, &path);
            Ok(())
        }
        Place::Server(api, app) => {
            let mut body = mapped;
            body["template"] = Value::Null;
            let changed = api.patch(&["applications", &app], &body).await?;
            output::one(global.output, &shapes::ONE, &changed)
        }
    }
}

/// A definition as a server can use it, which sees neither this machine's files nor its variables.
fn for_server(path: &Path) -> Result<Value, Failure> {
    let home = file::home(path);
    let mut definition = file::document(path)?;
    let wrong = |error: &dyn std::fmt::Display| file::wrong(path, error);
    secrets::reveal(&mut definition, &home.folder, environment::var)
        .map_err(|error| wrong(&error))?;
    if definition["mappings"].is_string() {
        mappings::spell_out(&mut definition, &home.folder).map_err(|error| wrong(&error))?;
    }
    Ok(definition)
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            Code::Conflict,
            format!("{} is there already", path.display()),
        )
        .hint("choose another name"),
        _ => Failure::plain(format!("{} cannot be written: {error}", path.display())),
    })
}

fn written(global: &Global, path: &Path) {
    let file = path.display();
    output::say(
        global.output,
        &format!(
            "{file} is written. Fill in the source and the target, then try: portreeve app test {file}"
        ),
    );
}

/// The name of an application whose file is all that is known.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
