//! The people or groups of a source, one after the other: never more than a page of them in memory.

use super::objects::{self, Named};
use crate::Global;
use crate::environment;
use crate::failure::{Code, Failure};
use crate::machine::Machine;
use crate::output;
use clap::ValueEnum;
use portreeve_mapping::Object as Attributes;
use portreeve_provisioning::source::graph::Asked;
use portreeve_provisioning::source::{
    Change, Error, Home, Kind, Next, Object, Page, Place, Settings, Source,
};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// How many rows and entries that cannot be used are told.
const TOLD: u64 = 5;

/// Users or groups, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Whom {
    User,
    Group,
}

impl Whom {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Group => Kind::Group,
        }
    }
}

/// A source, read for itself: no application's state is touched.
pub(super) struct Population {
    source: Source,
    /// What the source remembers goes with it.
    _state: TempDir,
}

impl Population {
    /// The source that a file describes: the `source` of an application's definition, or the settings of a source alone.
    /// `asked` are the attributes that will be needed of it.
    pub(super) fn open(file: &Path, asked: &Asked) -> Result<Self, Failure> {
        let settings = settings(file)?;
        let state = TempDir::new().map_err(|error| {
            Failure::plain(format!("there is no place for temporary files: {error}"))
        })?;
        let home = Home {
            folder: file.parent().map_or_else(PathBuf::new, Path::to_owned),
            state: state.path().join("source"),
            surroundings: Arc::new(Machine),
            environment: environment::var,
            directories: None,
        };
        let source = Source::new(&settings, &home).map_err(|error| unreadable(&error))?;
        Ok(Self {
            source: source.asking(asked),
            _state: state,
        })
    }

    /// Shows everybody to `visit`.
    pub(crate) async fn each(
        &self,
        global: &Global,
        visit: &mut dyn FnMut(Kind, &Named),
    ) -> Result<(), Failure> {
        let (mut place, mut seen) = (Place::Everything, Seen::default());
        loop {
            let Page { changes, next, .. } = self
                .source
                .read(&place)
                .await
                .map_err(|error| unreadable(&error))?;
            for change in changes {
                match change {
                    Change::Present(object) | Change::Altered(object) => {
                        seen.object(&object, visit);
                    }
                    Change::Unusable { place, reason } => seen.unusable(global, &place, &reason),
                    _ => {}
                }
            }
            match next {
                Next::Page(at) => place = Place::Page(at),
                Next::Watermark(_) => break,
            }
        }
        seen.tell(global);
        Ok(())
    }

    /// Shows the one with that key to `visit`.
    pub(crate) async fn one(
        &self,
        kind: Kind,
        key: &str,
        visit: &mut dyn FnMut(Kind, &Named),
    ) -> Result<(), Failure> {
        let found = self.source.one(kind, key).await;
        let object = found.map_err(|error| unreadable(&error))?.ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("the source has nobody with the key \"{key}\""),
            )
        })?;
        visit(kind, &named(&object));
        Ok(())
    }
}

/// Who has passed by, by fingerprints of their keys.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    keys: HashSet<u64>,
    repeated: u64,
    unusable: u64,
}

impl Seen {
    /// Sources may repeat themselves; the first telling is the whole of an object but for what changed while it was read.
    fn object(&mut self, object: &Object, visit: &mut dyn FnMut(Kind, &Named)) {
        let fingerprint = self.hasher.hash_one((object.kind, &object.key));
        match self.keys.insert(fingerprint) {
            true => visit(object.kind, &named(object)),
            false => self.repeated += 1,
        }
    }

    fn unusable(&mut self, global: &Global, place: &str, reason: &str) {
        self.unusable += 1;
        if self.unusable <= TOLD {
            let text = output::harmless(&format!("{place}: {reason}"));
            output::say(global.output, &format!("note: {text}"));
        }
    }

    fn tell(&self, global: &Global) {
        let more = self.unusable.saturating_sub(TOLD);
        if more > 0 {
            output::say(
                global.output,
                &format!("note: {more} more rows or entries cannot be used"),
            );
        }
        if self.repeated > 0 {
            let text = format!(
                "note: changed while it was read, and looked at once: {}",
                self.repeated
            );
            output::say(global.output, &text);
        }
    }
}

/// The attributes of an object as mappings see them: with what the engine works out.
fn named(object: &Object) -> Named {
    let mut attributes = Attributes::from_json(&object.attributes);
    if attributes.get("objectId").is_null() {
        attributes.set("objectId", object.key.as_str());
    }
    let disabled = object.attributes.get("accountEnabled") == Some(&Value::Bool(false));
    attributes.set("IsSoftDeleted", disabled);
    Named {
        name: objects::name(&object.attributes)
            .unwrap_or(&object.key)
            .to_owned(),
        object: attributes,
    }
}

fn settings(file: &Path) -> Result<Settings, Failure> {
    let text = super::read(file)?;
    let wrong = |error: &dyn std::fmt::Display| {
        let error = error.to_string();
        Failure::usage(format!("{}: {}", file.display(), error.trim_end()))
    };
    let mut members: Map<String, Value> = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| wrong(&error))?,
        false => toml::from_str(&text).map_err(|error| wrong(&error))?,
    };
    let scope = members.remove("scope");
    let mut source = match members.remove("source") {
        Some(source) => source,
        None => Value::Object(members),
    };
    // As in a definition: the application's scope takes the place of that of the source.
    if let Some(scope) = scope.filter(|_| source["type"] == "graph") {
        source["scope"] = scope;
    }
    serde_json::from_value(source).map_err(|error| {
        wrong(&error).hint(
            "the file is the definition of an application, or a source alone, such as: type = \"csv\" and users = \"people.csv\"",
        )
    })
}

fn unreadable(error: &Error) -> Failure {
    match error {
        Error::Unusable(_) | Error::Credentials(_) => Failure::usage(error),
        Error::Expired(_) | Error::Unavailable { .. } => Failure::plain(error),
    }
}
