//! Where the mappings of a definition come from: a template, the definition itself, or a file of their own.

use std::fmt;
use std::path::{Path, PathBuf};

use portreeve_mapping::{MappingSet, ObjectMapping, graph};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::document::{in_json, in_toml};
use super::{Definition, DefinitionError};

/// Mappings as a definition has them: `mappings = "mappings.toml"`, or a list with one for users and one for groups.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// The file that they are in: TOML, JSON, or a `synchronizationSchema` that was exported from Entra.
    File(PathBuf),
    /// The mappings.
    Here(Vec<ObjectMapping>),
}

/// A set of mappings, and what an import did not take over.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The mappings.
    pub set: MappingSet,
    /// What the text says and this program does not take over, in sentences.
    pub notes: Vec<String>,
}

/// Reads mappings in whichever form: TOML, JSON, or a `synchronizationSchema` that was exported from Entra.
///
/// # Errors
/// The first mistake, with its line.
pub fn read(text: &str) -> Result<Read, DefinitionError> {
    if !text.trim_start().starts_with('{') {
        let set = toml::from_str(text).map_err(|error| in_toml(text, &error))?;
        return Ok(Read {
            set,
            notes: Vec::new(),
        });
    }
    let json: Value = serde_json::from_str(text).map_err(|error| in_json(&error))?;
    if json.get("synchronizationRules").is_none() {
        let set = serde_json::from_str(text).map_err(|error| in_json(&error))?;
        return Ok(Read {
            set,
            notes: Vec::new(),
        });
    }
    let imported = graph::import(text).map_err(|error| DefinitionError::Text {
        line: None,
        problem: error.to_string(),
    })?;
    Ok(Read {
        set: imported.mappings,
        notes: imported.notes,
    })
}

/// Reads the mappings in a file.
///
/// # Errors
/// It cannot be read, or holds no mappings.
pub fn read_file(file: &Path) -> Result<Read, DefinitionError> {
    let wrong = |problem: String| DefinitionError::File {
        file: file.display().to_string(),
        problem,
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| wrong(format!("the mappings cannot be read ({error})")))?;
    read(&text).map_err(|error| wrong(error.to_string()))
}

/// Puts the mappings themselves into a definition that names their template or their file, so that it depends on
/// nothing else. `folder` is where relative paths begin.
///
/// # Errors
/// The definition or its mappings cannot be read.
pub fn spell_out(document: &mut Value, folder: &Path) -> Result<(), DefinitionError> {
    let set = Definition::from_json(document)?.mapping_set(folder)?;
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("template");
        members.shift_remove("mappings");
        members.insert("mappings".to_owned(), json!(set.object_mappings));
    }
    Ok(())
}

impl Definition {
    /// The mappings, wherever they are. `folder` is where relative paths begin.
    ///
    /// # Errors
    /// There are none or too many of them, or their file cannot be read.
    pub fn mapping_set(&self, folder: &Path) -> Result<MappingSet, DefinitionError> {
        match (self.template, &self.mappings) {
            (Some(template), None) => template.mapping_set(),
            (None, Some(Written::Here(mappings))) => Ok(MappingSet {
                object_mappings: mappings.clone(),
            }),
            (None, Some(Written::File(file))) => Ok(read_file(&folder.join(file))?.set),
            (Some(template), Some(_)) => {
                let problem = format!(
                    "there are mappings as well as the template {template}; leave one out (portreeve app export --mappings writes a template's mappings out)"
                );
                Err(DefinitionError::setting("template", problem))
            }
            (None, None) => Err(DefinitionError::setting(
                "mappings",
                "there are none; take a template, such as template = \"generic\", or name the file of the mappings",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FileOrList)
    }
}

/// Not derived, because what is wrong with a mapping would be lost on the way.
struct FileOrList;

impl<'de> Visitor<'de> for FileOrList {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a file, or a list of mappings")
    }

    fn visit_str<E>(self, file: &str) -> Result<Written, E> {
        Ok(Written::File(PathBuf::from(file)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mappings: A) -> Result<Written, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(mappings)).map(Written::Here)
    }
}
