//! The log as three tables in CSV, as Entra exports it: entries, their steps, and the properties they changed, joined by
//! the id of the change.
//!
//! People open these in a spreadsheet, and names come from outside: a cell that the spreadsheet would take for a formula
//! gets an apostrophe in front, which shows it as text. For values to the letter there is the export as JSON.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use serde_json::{Map, Value};

use super::word;
use crate::engine::steps::{Identity, Record};

/// The names of the files: entries, steps, modified properties.
pub const FILES: [&str; 3] = [
    "ProvisioningLogs.csv",
    "ProvisioningLogs_ProvisioningSteps.csv",
    "ProvisioningLogs_ModifiedProperties.csv",
];

/// The columns of [`FILES`], in Microsoft Graph's words.
const ENTRIES: [&str; 28] = [
    "id",
    "activityDateTime",
    "changeId",
    "cycleId",
    "jobId",
    "provisioningAction",
    "status",
    "errorCode",
    "errorCategory",
    "reason",
    "additionalDetails",
    "recommendedAction",
    "durationInMilliseconds",
    "sourceIdentityId",
    "sourceIdentityDisplayName",
    "sourceIdentityType",
    "sourceIdentityDetails",
    "targetIdentityId",
    "targetIdentityDisplayName",
    "targetIdentityType",
    "targetIdentityDetails",
    "sourceSystemId",
    "sourceSystemDisplayName",
    "targetSystemId",
    "targetSystemDisplayName",
    "initiatedById",
    "initiatedByDisplayName",
    "initiatorType",
];
const STEPS: [&str; 7] = [
    "changeId",
    "stepNumber",
    "name",
    "provisioningStepType",
    "status",
    "description",
    "details",
];
const PROPERTIES: [&str; 4] = ["changeId", "displayName", "oldValue", "newValue"];

/// Writes entries into the three tables as they come.
pub struct Tables<W: Write> {
    entries: Writer<W>,
    steps: Writer<W>,
    properties: Writer<W>,
}

impl Tables<File> {
    /// Makes the [`FILES`] in a folder. Those that are there already are written anew.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let [entries, steps, properties] = FILES.map(|name| File::create(folder.join(name)));
        Self::begin(entries?, steps?, properties?)
    }
}

impl<W: Write> Tables<W> {
    /// Begins the tables with their headings.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn begin(entries: W, steps: W, properties: W) -> io::Result<Self> {
        let mut tables = Self {
            entries: writer(entries),
            steps: writer(steps),
            properties: writer(properties),
        };
        tables.entries.write_record(ENTRIES)?;
        tables.steps.write_record(STEPS)?;
        tables.properties.write_record(PROPERTIES)?;
        Ok(tables)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, record: &Record) -> io::Result<()> {
        let [source, target] = [
            Some(&record.source_identity),
            record.target_identity.as_ref(),
        ];
        let error = record.provisioning_status_info.error_information.as_ref();
        let mut cells = vec![
            record.id.clone(),
            record.activity_date_time.to_string(),
            record.change_id.clone(),
            record.cycle_id.clone(),
            record.job_id.clone(),
            word(&record.provisioning_action),
            word(&record.provisioning_status_info.status),
            error
                .map(|error| word(&error.error_code))
                .unwrap_or_default(),
            error
                .map(|error| word(&error.error_category))
                .unwrap_or_default(),
            error.map(|error| error.reason.clone()).unwrap_or_default(),
            error
                .and_then(|error| error.additional_details.clone())
                .unwrap_or_default(),
            error
                .map(|error| error.recommended_action.clone())
                .unwrap_or_default(),
            record.duration_in_milliseconds.to_string(),
        ];
        cells.extend(identity(source));
        cells.extend(identity(target));
        for system in [&record.source_system, &record.target_system] {
            cells.extend([system.id.clone(), system.display_name.clone()]);
        }
        let initiator = &record.initiated_by;
        cells.extend([
            initiator.id.clone(),
            initiator.display_name.clone(),
            word(&initiator.initiator_type),
        ]);
        row(&mut self.entries, &cells)?;
        self.add_steps(record)?;
        self.add_properties(record)
    }

    fn add_steps(&mut self, record: &Record) -> io::Result<()> {
        for (number, step) in (1..).zip(&record.provisioning_steps) {
            let number: u32 = number;
            let cells = [
                record.change_id.clone(),
                number.to_string(),
                word(&step.name),
                word(&step.provisioning_step_type),
                word(&step.status),
                step.description.clone(),
                object(&step.details),
            ];
            row(&mut self.steps, &cells)?;
        }
        Ok(())
    }

    fn add_properties(&mut self, record: &Record) -> io::Result<()> {
        for property in &record.modified_properties {
            let cells = [
                record.change_id.clone(),
                property.display_name.clone(),
                property.old_value.clone().unwrap_or_default(),
                property.new_value.clone().unwrap_or_default(),
            ];
            row(&mut self.properties, &cells)?;
        }
        Ok(())
    }

    /// Writes what is still in memory. The tables: entries, steps, modified properties.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(self) -> io::Result<[W; 3]> {
        let ended = |table: Writer<W>| table.into_inner().map_err(|error| error.into_error());
        Ok([
            ended(self.entries)?,
            ended(self.steps)?,
            ended(self.properties)?,
        ])
    }
}

/// RFC 4180.
fn writer<W: Write>(out: W) -> Writer<W> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(out)
}

fn row<W: Write>(table: &mut Writer<W>, cells: &[String]) -> io::Result<()> {
    Ok(table.write_record(cells.iter().map(|cell| harmless(cell)))?)
}

/// A cell that no spreadsheet takes for a formula: those begin with one of these characters, also in their wide form,
/// and white space in front of them does not always help.
fn harmless(cell: &str) -> String {
    let first = cell.trim_start().chars().next();
    let formula = first.is_some_and(|c| "=+-@＝＋－＠".contains(c));
    match formula || cell.starts_with(['\t', '\r', '\n']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

fn identity(identity: Option<&Identity>) -> [String; 4] {
    identity.map_or_else(Default::default, |identity| {
        [
            identity.id.clone(),
            identity.display_name.clone().unwrap_or_default(),
            word(&identity.identity_type),
            object(&identity.details),
        ]
    })
}

fn object(details: &Map<String, Value>) -> String {
    match details.is_empty() {
        true => String::new(),
        false => serde_json::to_string(details).unwrap_or_default(),
    }
}
