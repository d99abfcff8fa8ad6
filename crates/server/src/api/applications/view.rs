//! Applications as answers show them.

use super::Found;
use crate::admin::view::At;
use crate::api::reply;
use crate::app::App;
use crate::applications::{SealedSecrets, document};
use portreeve_directory::applications::Status;
use portreeve_scim::text::fold;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// An application as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Application")]
pub(in crate::api) struct ApplicationView {
    pub(super) id: String,
    name: String,
    /// The name of the team.
    team: String,
    status: &'static str,
    /// Why cycles run less often, and since when, while they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<Value>,
    /// What kind of source it has.
    #[serde(skip_serializing_if = "Value::is_null")]
    source: Value,
    /// The address of its target.
    #[serde(skip_serializing_if = "Value::is_null")]
    target: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_at: Option<At>,
    created_at: At,
    updated_at: At,
}

/// An application by itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationDetail")]
pub(in crate::api) struct ApplicationDetail {
    #[serde(flatten)]
    application: ApplicationView,
    /// As it was declared, without its secrets.
    #[schemars(with = "Map<String, Value>")]
    definition: Value,
    /// The settings that have a secret.
    secrets: Vec<String>,
    /// What an admin should know although nothing fails.
    warnings: Vec<Warning>,
}

/// What an admin should know.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationWarning")]
struct Warning {
    /// Does not change with the wording.
    code: &'static str,
    /// What is wrong and what to do.
    detail: &'static str,
}

impl ApplicationView {
    /// Where it stands among others: by team, then by name.
    pub(super) fn place(&self) -> String {
        format!(
            "{}\n{}",
            fold(&self.team),
            reply::by_name(&self.name, &self.id)
        )
    }

    pub(super) fn of(found: &Found) -> Self {
        let application = &found.application;
        let quarantine = application.quarantine.as_deref();
        let definition = document(application);
        Self {
            id: application.id.clone(),
            name: application.name.clone(),
            team: found.team.clone(),
            status: application.status.name(),
            quarantine: quarantine.and_then(|text| serde_json::from_str(text).ok()),
            source: definition["source"]["type"].clone(),
            target: definition["target"]["url"].clone(),
            next_run_at: match application.status {
                Status::Running => application.next_run_at.map(At),
                Status::Paused | Status::Disabled => None,
            },
            created_at: At(application.created_at),
            updated_at: At(application.updated_at),
        }
    }
}

impl ApplicationDetail {
    /// With the settings that have a secret, and what to worry about.
    pub(super) fn of(app: &App, found: &Found, sealed: &SealedSecrets) -> Self {
        let definition = document(&found.application);
        let told = definition["notify"]
            .as_array()
            .is_some_and(|it| !it.is_empty());
        let mut warnings = Vec::new();
        if told && app.mailer.is_none() {
            warnings.push(Warning {
                code: "no_mail_server",
                detail: "nobody is told when something is wrong with this job, because the server knows no mail server; start it with --smtp-server and --smtp-from",
            });
        }
        Self {
            application: ApplicationView::of(found),
            definition,
            secrets: sealed.iter().map(|(setting, _)| setting.clone()).collect(),
            warnings,
        }
    }
}
