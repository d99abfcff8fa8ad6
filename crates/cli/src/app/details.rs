//! Entries of the provisioning log in full, for people: each step, and each value before and after.

use crate::output::{harmless, member, plain};
use serde_json::Value;

/// How much of a value is shown.
const LONGEST: usize = 200;

/// An entry with every step.
pub(super) fn whole(record: &Value) -> String {
    let mut text = head(record);
    for step in items(record, "provisioningSteps") {
        let line = format!(
            "  {:20} {:8} {}",
            plain(&step["provisioningStepType"]),
            plain(&step["status"]),
            plain(&step["description"])
        );
        add(&mut text, &line);
        for (name, value) in step["details"].as_object().into_iter().flatten() {
            add(&mut text, &format!("    {name}: {}", short(&plain(value))));
        }
    }
    text.push_str(&changes(record));
    text
}

/// An entry with what it changes, or was to change.
pub(super) fn outline(record: &Value) -> String {
    head(record) + &changes(record)
}

fn head(record: &Value) -> String {
    let text = |path: &str| plain(member(record, path));
    let mut head = String::new();
    let line = format!(
        "{} {} {} ({}): {}",
        text("provisioningAction"),
        text("sourceIdentity.identityType"),
        super::shapes::name(record),
        text("sourceIdentity.id"),
        text("provisioningStatusInfo.status")
    );
    add(&mut head, &line);
    let error = member(record, "provisioningStatusInfo.errorInformation");
    if error.is_object() {
        let line = format!(
            "  {}: {}",
            plain(&error["errorCode"]),
            plain(&error["reason"])
        );
        add(&mut head, &line);
        for more in ["additionalDetails", "recommendedAction"] {
            if error[more].is_string() {
                add(&mut head, &format!("  {}", plain(&error[more])));
            }
        }
    }
    head
}

fn changes(record: &Value) -> String {
    let mut text = String::new();
    for property in items(record, "modifiedProperties") {
        let side = |name: &str| match &property[name] {
            Value::Null => "nothing".to_owned(),
            value => format!("\"{}\"", short(&plain(value))),
        };
        let (name, old, new) = (
            plain(&property["displayName"]),
            side("oldValue"),
            side("newValue"),
        );
        add(&mut text, &format!("  {name}: {old} -> {new}"));
    }
    text
}

fn items<'r>(record: &'r Value, name: &str) -> impl Iterator<Item = &'r Value> {
    record[name].as_array().into_iter().flatten()
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn add(text: &mut String, line: &str) {
    text.push_str(&harmless(line));
    text.push('\n');
}
