//! `portreeve app test` and `portreeve app lint`.

use super::file::{self, File};
use super::{Place, Which, shapes};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::mapping;
use crate::mapping::population::From;
use crate::mapping::survey::{self, Wishes};
use crate::output::{self, Format};
use portreeve_mapping::lint::{Finding, Severity};
use portreeve_provisioning::application::{Application, Definition, lint};
use portreeve_provisioning::source::Home;
use portreeve_scim::Catalog;
use serde_json::{Value, json};
use std::path::Path;

/// Reaches both ends. That one of them cannot be used is a failure of the command.
pub(super) async fn test(global: &Global, which: &Which) -> Result<(), Failure> {
    let tested = match which.place(global)? {
        Place::File(path) => {
            let file = File::open(&path)?;
            json!(file.definition.test(&file.application, &file.home).await)
        }
        Place::Server(api, app) => {
            api.post(&["applications", &app, "test"], &json!({}))
                .await?
        }
    };
    let ends = ["source", "target"].map(|end| (end, &tested[end]));
    match global.output {
        Format::Table => {
            for (end, answer) in ends {
                let word = match answer["ok"].as_bool() {
                    Some(true) => "ok",
                    _ => "failed",
                };
                let detail = output::harmless(&output::plain(&answer["detail"]));
                output::print(&format!("{end}: {word}: {detail}\n"))?;
            }
        }
        format => output::one(format, &shapes::TESTED, &tested)?,
    }
    match ends.iter().all(|(_, answer)| answer["ok"] == true) {
        true => Ok(()),
        false => Err(Failure::told(Code::Failure)),
    }
}

/// Prints what is wrong or doubtful about the mappings. Errors are a failure of the command.
pub(super) async fn lint(global: &Global, which: &Which, offline: bool) -> Result<(), Failure> {
    let findings = match which.place(global)? {
        Place::File(path) => of_file(global, &path, offline).await?,
        Place::Server(api, app) => {
            let asked = json!({"offline": offline});
            let answer = api.post(&["applications", &app, "lint"], &asked).await?;
            if let Some(note) = answer["note"].as_str() {
                output::say(global.output, &format!("note: {}", output::harmless(note)));
            }
            for line in answer["looked_at"].as_array().into_iter().flatten() {
                let line = output::harmless(&output::plain(line));
                output::say(global.output, &format!("note: {line}"));
            }
            answer["findings"].as_array().cloned().unwrap_or_default()
        }
    };
    mapping::report(global.output, &findings)
}

async fn of_file(global: &Global, path: &Path, offline: bool) -> Result<Vec<Value>, Failure> {
    let home = file::home(path);
    let definition = file::definition(path)?;
    let mut findings = definition
        .lint(&home.folder)
        .map_err(|error| file::wrong(path, &error))?;
    let usable = !findings.iter().any(|it| it.severity == Severity::Error);
    if usable {
        let application = file::compile(path, &definition, &home)?;
        if !offline {
            findings.extend(of_target(global, &definition, &application, &home).await);
            findings.extend(of_source(global, path, &definition, &application, &home).await);
            findings.sort_by_key(|finding| finding.severity);
        }
    }
    Ok(findings.iter().map(|finding| json!(finding)).collect())
}

/// What the mappings would make of everybody in the source. One that cannot be read is worth a note only.
async fn of_source(
    global: &Global,
    path: &Path,
    definition: &Definition,
    application: &Application,
    home: &Home,
) -> Vec<Finding> {
    let Ok(set) = definition.mapping_set(&home.folder) else {
        return Vec::new();
    };
    let wishes = Wishes {
        default_domain: application.default_domain.as_deref(),
        ..Wishes::default()
    };
    let from = From::File(path.to_owned());
    let found = survey::findings(global, &set, &Catalog::standard(), &from, &wishes).await;
    found.unwrap_or_else(|failure| {
        let text = format!("note: the source was not looked at: {failure}");
        output::say(global.output, &text);
        Vec::new()
    })
}

/// What the target's own description says about the mappings. One that cannot be asked is worth a note only.
async fn of_target(
    global: &Global,
    definition: &Definition,
    application: &Application,
    home: &Home,
) -> Vec<Finding> {
    let asked = async {
        let client = definition.open_target(home)?;
        let capabilities = client.discover().await?;
        Ok::<_, portreeve_provisioning::target::Error>(lint::against_target(
            application,
            capabilities,
        ))
    };
    match asked.await {
        Ok(findings) => findings,
        Err(error) => {
            output::say(
                global.output,
                &format!("note: the target was not asked for its schemas: {error}"),
            );
            Vec::new()
        }
    }
}
