use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::*;
use crate::application::Definition;
use crate::engine::codes::Code;
use crate::engine::guard::Losses;
use crate::engine::steps::{Identity, Initiator, InitiatorType, StatusInfo, System};
use crate::job::{Counters, CycleKind, RunResult};
use crate::source::Kind;

const REFUSED: Reason = Reason::EncounteredQuarantineException;

fn application(name: &str) -> Application {
    let toml = format!(
        "name = {name:?}\ntemplate = \"generic\"\n[source]\ntype = \"csv\"\nusers = \"people.csv\"\n\
         [target]\nurl = \"https://app.example/scim\"\nauthentication = {{ type = \"bearer\", token = \"hush\" }}\n"
    );
    let definition = Definition::from_toml(&toml).unwrap();
    definition.compile("app", Path::new("/nowhere")).unwrap()
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn quarantine(reason: Reason, days: i64) -> Quarantine {
    let began = noon() - SignedDuration::from_hours(24 * days);
    Quarantine {
        reason,
        current_began: began,
        series_began: began,
        series_count: 3,
        next_attempt: noon() + SignedDuration::from_mins(40),
    }
}

fn summary(verdict: Verdict, quarantine: Change) -> Summary {
    Summary {
        number: 12,
        id: "cycle".to_owned(),
        kind: CycleKind::Incremental,
        result: RunResult::Failed,
        error: None,
        counters: Counters {
            created: 40,
            updated: 7,
            failed: 2,
            unchanged: 900,
            ..Counters::default()
        },
        requests: 1234,
        held: None,
        verdict,
        quarantine,
        began: noon() - SignedDuration::from_mins(3),
        ended: noon(),
        next_run: None,
    }
}

fn record(key: &str, name: Option<&str>, action: RecordAction, status: StatusInfo) -> Record {
    let system = || System {
        id: "id".to_owned(),
        display_name: "Name".to_owned(),
    };
    Record {
        id: key.to_owned(),
        activity_date_time: noon(),
        job_id: "job".to_owned(),
        cycle_id: "cycle".to_owned(),
        change_id: key.to_owned(),
        provisioning_action: action,
        duration_in_milliseconds: 1,
        provisioning_status_info: status,
        provisioning_steps: Vec::new(),
        modified_properties: Vec::new(),
        source_identity: Identity {
            id: key.to_owned(),
            display_name: name.map(str::to_owned),
            identity_type: Kind::User,
            details: Map::new(),
        },
        target_identity: None,
        source_system: system(),
        target_system: system(),
        initiated_by: Initiator {
            id: "job".to_owned(),
            display_name: "Schedule".to_owned(),
            initiator_type: InitiatorType::System,
        },
    }
}

fn failures() -> Vec<Record> {
    let failed = |code, reason: &str| StatusInfo::of(code, reason);
    vec![
        record(
            "1001",
            Some("Ada Lovelace"),
            RecordAction::Create,
            failed(Code::EntryConflict, "userName \"ada\" is taken."),
        ),
        record(
            "1002",
            None,
            RecordAction::Update,
            failed(Code::ServiceIncompatible, "<html>\n<h1>It works!</h1>"),
        ),
    ]
}

#[test]
fn mails_say_what_happened_how_much_and_what_to_do() {
    let proportion = Reason::EncounteredEscrowProportionThreshold;
    let stopped = Summary {
        error: Some("the target answers 401 Unauthorized".to_owned()),
        ..summary(
            Verdict::Quarantine(REFUSED),
            Change::Entered(quarantine(REFUSED, 0)),
        )
    };
    let losses = Losses {
        deletes: 590,
        disables: 10,
    };
    let held = Summary {
        held: Some(losses),
        ..summary(
            Verdict::Quarantine(Reason::TooManyDeletes),
            Change::ReasonChanged(quarantine(Reason::TooManyDeletes, 2)),
        )
    };
    let leaver = record(
        "1003",
        Some("Charles Babbage"),
        RecordAction::StagedDelete,
        StatusInfo::of(Code::TooManyDeletes, "held"),
    );
    let many = summary(
        Verdict::Quarantine(proportion),
        Change::ReasonChanged(quarantine(proportion, 2)),
    );
    let paused = summary(Verdict::PruneAndPause(proportion), Change::Active);
    let disabled = summary(Verdict::Quarantine(REFUSED), Change::Disabled);
    let earlier = quarantine(REFUSED, 29);
    let cases = [
        ("entered", stopped, None, Vec::new()),
        ("deletions held", held, Some(&earlier), vec![leaver]),
        ("reason changed", many, Some(&earlier), failures()),
        ("pruned and paused", paused, None, failures()),
        ("disabled", disabled, Some(&earlier), Vec::new()),
    ];
    let mut all = String::new();
    for (name, summary, before, examples) in cases {
        assert!(super::examples(&summary).is_some(), "{name}");
        let notice = of(
            &application("Branch office"),
            "Branch office",
            &summary,
            before,
            &examples,
        )
        .expect(name);
        all += &format!("=== {name}\n{}\n\n{}\n", notice.subject, notice.text);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_entries_a_mail_repeats_are_those_of_its_cycle_and_its_reason() {
    let taken = quarantine(Reason::TooManyDeletes, 0);
    let held = summary(
        Verdict::Quarantine(Reason::TooManyDeletes),
        Change::Entered(taken),
    );
    let failed = summary(Verdict::PruneAndPause(REFUSED), Change::Active);
    for (name, summary, statuses, actions) in [
        ("held", held, vec![], vec![RecordAction::StagedDelete]),
        ("failed", failed, vec![Status::Failure], vec![]),
    ] {
        let filter = examples(&summary).unwrap();
        assert_eq!(filter.statuses, statuses, "{name}");
        assert_eq!(filter.actions, actions, "{name}");
        assert_eq!(filter.since, Some(summary.began), "{name}");
    }
}

#[test]
fn nobody_is_told_twice_or_of_nothing() {
    let stays = Change::Stays(quarantine(REFUSED, 1));
    for (name, verdict, change) in [
        ("all is well", Verdict::Healthy, Change::Active),
        ("it is over", Verdict::Healthy, Change::Left),
        ("it goes on", Verdict::Quarantine(REFUSED), stays),
    ] {
        let summary = summary(verdict, change);
        assert_eq!(examples(&summary), None, "{name}");
        assert_eq!(
            of(&application("HR"), "HR", &summary, None, &[]),
            None,
            "{name}"
        );
        assert!(!summary.quarantine.is_told(), "{name}");
    }
}

#[test]
fn names_and_texts_from_outside_stay_where_they_belong() {
    let hostile = "HR\r\nBcc: eve@contoso.example";
    let mut application = application("HR");
    application.name = hostile.to_owned();
    let mut example = failures().remove(0);
    example.source_identity.display_name = Some("x\n\nWhat to do:\n  rm -rf ~".to_owned());
    let error = example.provisioning_status_info.error_information.as_mut();
    error.unwrap().reason = "long ".repeat(1000);
    let summary = summary(Verdict::PruneAndPause(REFUSED), Change::Active);
    let many = vec![example; EXAMPLES + 5];
    let notice = of(&application, "hr.toml", &summary, None, &many).unwrap();
    assert!(!notice.subject.contains(['\r', '\n']), "{}", notice.subject);
    let lines = |start: &str| {
        notice
            .text
            .lines()
            .filter(|line| line.starts_with(start))
            .count()
    };
    assert_eq!(
        (
            lines("What to do:"),
            lines("Bcc:"),
            lines("  x  What to do:")
        ),
        (1, 0, EXAMPLES)
    );
    assert!(notice.text.lines().all(|line| line.len() < 800));
}

#[test]
fn a_name_is_one_word_of_a_command() {
    for (name, expected) in [
        ("Smallstep", "Smallstep"),
        ("hr-2_b.toml", "hr-2_b.toml"),
        ("Branch office", "'Branch office'"),
        ("Ada's", r"'Ada'\''s'"),
        ("$(reboot)", "'$(reboot)'"),
        ("-o", "'-o'"),
        ("", "''"),
    ] {
        assert_eq!(quoted(name), expected, "{name}");
    }
}
