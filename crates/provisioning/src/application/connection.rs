//! Opening the two ends of an application, and Entra's "Test Connection" for both of them.

use serde::{Deserialize, Serialize};

use super::{Application, Definition};
use crate::source::{self, Home, Kind, Source};
use crate::target::{self, Capabilities, Client, Limits, ResourceKind};

/// Whether an application can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// The source.
    pub source: End,
    /// The target.
    pub target: End,
}

/// How one end of an application answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether it can be used.
    pub ok: bool,
    /// What is there, or what is wrong and what to do about it.
    pub detail: String,
}

impl Tested {
    /// Whether both ends can be used.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.source.ok && self.target.ok
    }
}

impl End {
    fn of<E: std::fmt::Display>(answer: Result<String, E>) -> Self {
        match answer {
            Ok(detail) => Self { ok: true, detail },
            Err(error) => Self {
                ok: false,
                detail: error.to_string(),
            },
        }
    }
}

impl Definition {
    /// The source, told of the attributes that the mappings use. Nothing is read or asked yet.
    ///
    /// # Errors
    /// As [`Source::new`].
    pub fn open_source(
        &self,
        application: &Application,
        home: &Home,
    ) -> Result<Source, source::Error> {
        let source = Source::new(&self.source(), home)?;
        Ok(source.asking(&application.asked()))
    }

    /// The target. Nothing is asked yet.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open_target(&self, home: &Home) -> Result<Client, target::Error> {
        Client::open(&self.target, home, Limits::default())
    }

    /// Reaches both ends without changing anything at either.
    pub async fn test(&self, application: &Application, home: &Home) -> Tested {
        let source = async {
            match self.open_source(application, home) {
                Ok(source) => source.check().await,
                Err(error) => Err(error),
            }
        };
        let target = async {
            // Somebody waits for the answer.
            let limits = Limits {
                attempts: 2,
                ..Limits::default()
            };
            let client = Client::open(&self.target, home, limits)?;
            probe(&client, application).await
        };
        let (source, target) = tokio::join!(source, target);
        Tested {
            source: End::of(source),
            target: End::of(target.map_err(|error| format!("{error}. {}", error.remedy()))),
        }
    }
}

/// Asks for people and groups that nobody is, as Entra does, and for what the target says of itself.
async fn probe(client: &Client, application: &Application) -> Result<String, target::Error> {
    for (kind, resource) in [
        (Kind::User, ResourceKind::User),
        (Kind::Group, ResourceKind::Group),
    ] {
        if application.of(kind).is_some() {
            client.probe(resource).await?;
        }
    }
    let said = describe(client.discover().await?);
    let quirks: Vec<String> = client.quirks().iter().map(ToString::to_string).collect();
    Ok(match quirks.is_empty() {
        true => format!("{} answers; {said}", application.target_name),
        false => format!(
            "{} answers; {said}; worked around: {}",
            application.target_name,
            quirks.join(", ")
        ),
    })
}

fn describe(capabilities: &Capabilities) -> String {
    let says = |name: &str, value: Option<bool>| match value {
        Some(true) => Some(format!("{name}: yes")),
        Some(false) => Some(format!("{name}: no")),
        None => None,
    };
    let said: Vec<String> = [
        says("PATCH", capabilities.patch),
        says("filters", capabilities.filter),
        says("versions", capabilities.etag),
    ]
    .into_iter()
    .flatten()
    .collect();
    match said.is_empty() {
        true => "it does not say what it can do".to_owned(),
        false => said.join(", "),
    }
}
