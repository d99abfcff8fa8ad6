//! The certificate authority of the team: where it is, its keys, their rotation, its policy, its provisioners.

use super::{badge, provisioners, question, settings, text};
use crate::admin::ca::{self, CaKey, CaKeyState, CaPurpose, CaStatus, RotationRequest};
use crate::ca::{CaKeyType, RulesChange, Settings as Policy, SettingsChange};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{
    Choice, Confirm, Copyable, Fact, Facts, Field, Form as Input, Shown, Tone,
};
use portreeve_directory::Permission;
use std::collections::BTreeMap;

const HOUR: u64 = 3600;

/// The purposes, as they are sent and as people say them.
const PURPOSES: [(CaPurpose, &str, &str); 4] = [
    (CaPurpose::User, "user", "SSH, people"),
    (CaPurpose::Host, "host", "SSH, hosts"),
    (CaPurpose::Root, "root", "X.509 root"),
    (
        CaPurpose::Intermediate,
        "intermediate",
        "X.509 intermediate",
    ),
];

pub(super) fn here() -> Address {
    Address::new("/console/settings/authority")
}

/// The authority. Its keys are made when somebody first asks for them.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Settings, Trouble> {
    let status = ca::status(&visit.app, &visit.admin, None).await?;
    let policy = ca::policy(&visit.app, &visit.admin, None).await?;
    let may = visit.may(Permission::CaWrite);
    let blocks = vec![
        address(&status),
        keys(&status, may),
        rules(&policy, may),
        provisioners::block(visit).await?,
    ];
    Ok(settings(visit, "Certificate authority", blocks))
}

fn copyable(label: &'static str, value: impl Into<String>) -> Fact {
    let value = Copyable::new(label.to_lowercase(), value);
    Fact::new(label, Shown::Copyable(value))
}

fn address(status: &CaStatus) -> Block {
    let mut facts = vec![copyable(
        "Fingerprint of the root",
        status.fingerprint.clone(),
    )];
    if let Some(url) = &status.url {
        facts.push(copyable("Address for step", url.clone()));
        let command = format!(
            "step ca bootstrap --ca-url {url} --fingerprint {}",
            status.fingerprint
        );
        facts.push(copyable("With step", command));
    }
    facts.push(
        copyable("Revocation list", status.krl_url.clone())
            .note("For RevokedKeys in sshd_config; hosts fetch it without a token."),
    );
    facts.extend(
        status
            .user_keys
            .first()
            .map(|key| copyable("Key for TrustedUserCAKeys", key.clone())),
    );
    facts.extend(
        status
            .host_keys
            .first()
            .map(|key| copyable("Key for known_hosts", format!("@cert-authority * {key}"))),
    );
    facts.push(Fact::text(
        "Certificates that count",
        status.live_certificates.to_string(),
    ));
    Block {
        id: "address",
        title: "Certificate authority",
        lead: "It signs what lets people in, and what tells them that a host is the right one."
            .to_owned(),
        actions: Vec::new(),
        content: Content::Facts(Facts(facts)),
        live: "Authority Certificate",
    }
}

fn keys(status: &CaStatus, may: bool) -> Block {
    let mut keys: Vec<&CaKey> = status.keys.iter().collect();
    keys.sort_by_key(|key| PURPOSES.iter().position(|one| one.0 == key.purpose));
    Block {
        id: "keys",
        title: "Keys",
        lead: "A new key is trusted before it signs, and an old one until all that it has signed has run out.".to_owned(),
        actions: Vec::new(),
        content: Content::Table(Table {
            head: vec!["For", "State", "Fingerprint", "Type", "Since", "Until"],
            rows: keys.into_iter().map(|key| row(key, &status.keys, may)).collect(),
            empty: "There is none yet.",
        }),
        live: "Authority",
    }
}

fn row(key: &CaKey, all: &[CaKey], may: bool) -> Row {
    let label = PURPOSES.iter().find(|one| one.0 == key.purpose);
    let (name, label) = label.map_or(("", ""), |one| (one.1, one.2));
    let announced = all
        .iter()
        .any(|other| other.purpose == key.purpose && other.state == CaKeyState::Next);
    let action = match key.state {
        CaKeyState::Current if !announced => Some(rotate_question(name, label)),
        CaKeyState::Next => Some(activate_question(name, label)),
        _ => None,
    };
    let until = key.activates_at.or(key.trusted_until);
    Row {
        cells: vec![
            text(label),
            match key.state {
                CaKeyState::Next => badge(Tone::Info, "Announced"),
                CaKeyState::Current => badge(Tone::Good, "Signs"),
                CaKeyState::Old => badge(Tone::Neutral, "Still trusted"),
            },
            Shown::Copyable(Copyable::new("fingerprint", key.fingerprint.clone())),
            text(match key.in_token {
                true => format!("{}, in a token", key.key_type),
                false => key.key_type.clone(),
            }),
            Shown::Time(time(key.created_at.0)),
            until.map_or_else(|| text(""), |at| Shown::Time(time(at.0))),
        ],
        actions: action.filter(|_| may).into_iter().collect(),
    }
}

fn rotate_question(name: &'static str, label: &str) -> Confirm {
    let mut question = question(
        format!("rotate-{name}"),
        "Rotate…",
        format!("A new key for {label}?"),
        "It is announced first, and signs once everybody has had the time to hear of it. What the current one has signed stays good until it runs out.",
        here().join("rotate"),
    );
    question.danger = false;
    question.values = vec![("purpose", name.to_owned())];
    let spans = vec![
        Choice::new("", "As long as the policy says", true),
        Choice::new("0", "Not at all: it signs at once", false),
        Choice::new("3600", "1 hour", false),
        Choice::new("86400", "1 day", false),
        Choice::new("604800", "7 days", false),
    ];
    question.fields = vec![
        Field::new(
            "rotate",
            "overlap",
            "It is announced for",
            Input::Select(spans),
        )
        .help("At once is for a key that others may have."),
    ];
    unique(question, name)
}

fn activate_question(name: &'static str, label: &str) -> Confirm {
    let mut question = question(
        format!("activate-{name}"),
        "Let it sign now…",
        format!("Let the new key for {label} sign now?"),
        "Who has not heard of it yet does not trust what it signs.",
        here().join("rotate"),
    );
    question.label = "Let it sign".to_owned();
    question.values = vec![("purpose", name.to_owned()), ("overlap", "0".to_owned())];
    question
}

/// The same dialog is there for each purpose, so that its fields are told apart by it.
fn unique(mut question: Confirm, name: &'static str) -> Confirm {
    for field in &mut question.fields {
        field.form = match name {
            "user" => "rotate-user",
            "host" => "rotate-host",
            "root" => "rotate-root",
            _ => "rotate-intermediate",
        };
    }
    question
}

fn rules(policy: &Policy, may: bool) -> Block {
    let lifetimes = |seconds: [u64; 3]| {
        let [usual, shortest, longest] = seconds.map(span);
        (
            usual,
            format!("between {shortest} and {longest}, where something else is asked for"),
        )
    };
    let user = &policy.user.lifetimes;
    let (usual, note) = lifetimes([
        user.default_seconds,
        user.shortest_seconds,
        user.longest_seconds,
    ]);
    let (of_hosts, hosts_note) = lifetimes([
        policy.host.default_seconds,
        policy.host.shortest_seconds,
        policy.host.longest_seconds,
    ]);
    let named = |map: &BTreeMap<String, String>| {
        let pairs = map.iter().map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    let facts = vec![
        Fact::text("People", usual).note(note),
        Fact::text("Hosts", of_hosts).note(hosts_note),
        Fact::text("Extensions", named(&policy.user.extensions)),
        Fact::text("Critical options", named(&policy.user.critical_options)),
        Fact::text("Type of new keys", key_type(policy.key_type)),
        Fact::text("New keys are announced for", span(policy.overlap_seconds)),
    ];
    Block {
        id: "policy",
        title: "Policy",
        lead: "What certificates say. Those that were issued stay as they are.".to_owned(),
        actions: may.then(|| policy_question(policy)).into_iter().collect(),
        content: Content::Facts(Facts(facts)),
        live: "Policy",
    }
}

fn key_type(of: CaKeyType) -> &'static str {
    match of {
        CaKeyType::Ed25519 => "ed25519",
        CaKeyType::Ecdsa => "ecdsa",
    }
}

/// Seconds as people say them.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0 => return "no time".to_owned(),
        seconds if seconds.is_multiple_of(24 * HOUR) => (seconds / (24 * HOUR), "day"),
        seconds if seconds.is_multiple_of(HOUR) => (seconds / HOUR, "hour"),
        seconds if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

fn policy_question(policy: &Policy) -> Confirm {
    let mut question = question(
        "policy-change".to_owned(),
        "Change…",
        "Policy of the certificate authority".to_owned(),
        "It counts for certificates that are issued from now on.",
        here().join("policy"),
    );
    question.danger = false;
    question.label = "Save".to_owned();
    let hours = |seconds: u64| seconds.div_ceil(HOUR).to_string();
    let lines = |map: &BTreeMap<String, String>| {
        let lines = map.iter().map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let area = |value: String| Input::Text { value, rows: 4 };
    let number = |name, label: &str, seconds: u64| {
        Field::line("policy", name, label, hours(seconds))
            .kind("number")
            .required()
    };
    let (user, host) = (&policy.user.lifetimes, &policy.host);
    question.fields = vec![
        number("user_default", "People, hours", user.default_seconds),
        number(
            "user_longest",
            "People, hours at most",
            user.longest_seconds,
        ),
        number("host_default", "Hosts, hours", host.default_seconds),
        number("host_longest", "Hosts, hours at most", host.longest_seconds),
        Field::new(
            "policy",
            "extensions",
            "Extensions",
            area(lines(&policy.user.extensions)),
        )
        .help("One in each line. Without permit-pty nobody has a terminal.")
        .code(),
        Field::new(
            "policy",
            "options",
            "Critical options",
            area(lines(&policy.user.critical_options)),
        )
        .help("One in each line: source-address=10.0.0.0/8, force-command=…, verify-required.")
        .code(),
    ];
    question
}

/// Makes a new key, or lets the one that is announced take over.
pub(in crate::console) async fn rotate(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let purpose = PURPOSES.iter().find(|one| one.1 == form.text("purpose"));
        let purpose = purpose.ok_or_else(|| Trouble::Invalid("say which key".to_owned()))?;
        let wanted = RotationRequest {
            purpose: purpose.0,
            overlap_seconds: form.text("overlap").parse().ok(),
            key_type: None,
            team: None,
        };
        match ca::rotate(&visit.app, &visit.admin, wanted).await {
            Ok(_) => Ok(visit.done(&here(), "The new key is made.")),
            Err(error) => again(&visit, error.into()).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Changes the policy.
pub(in crate::console) async fn save_policy(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let changed = match change(&form) {
            Ok(change) => ca::change_policy(&visit.app, &visit.admin, None, change)
                .await
                .map_err(Trouble::from),
            Err(said) => Err(Trouble::Invalid(said)),
        };
        match changed {
            Ok(_) => Ok(visit.done(&here(), "The policy is changed.")),
            Err(trouble) => again(&visit, trouble).await,
        }
    };
    visit.or_trouble(done.await)
}

/// The page again, which says what was wrong with what was sent.
pub(super) async fn again(visit: &Visit, trouble: Trouble) -> Result<Response, Trouble> {
    let problem = trouble.problem()?;
    let mut page = make(visit).await?;
    page.problem = Some(problem);
    Ok(visit.again(&page))
}

fn change(form: &Form) -> Result<SettingsChange, String> {
    let seconds = |name: &str| {
        let hours: u64 = form
            .text(name)
            .parse()
            .map_err(|_| "lifetimes are whole numbers of hours".to_owned())?;
        Ok::<_, String>(Some(hours.saturating_mul(HOUR)))
    };
    let pairs = |name: &str| {
        let lines = form.text(name).lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        let pair = |line: &str| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            (name.trim().to_owned(), value.trim().to_owned())
        };
        Some(lines.map(pair).collect())
    };
    Ok(SettingsChange {
        user: Some(RulesChange {
            default_seconds: seconds("user_default")?,
            longest_seconds: seconds("user_longest")?,
            extensions: pairs("extensions"),
            critical_options: pairs("options"),
            ..RulesChange::default()
        }),
        host: Some(RulesChange {
            default_seconds: seconds("host_default")?,
            longest_seconds: seconds("host_longest")?,
            ..RulesChange::default()
        }),
        ..SettingsChange::default()
    })
}
